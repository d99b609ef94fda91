"""What a program gets of a trace: `open_trace` and its answers.

trace   `Trace`, which `open_trace` returns
calls   `Calls`, which `trace.calls(...)` returns: chosen, counted, grouped
lines   `explain_line`: one call, with what the rules and the model know of it
"""
