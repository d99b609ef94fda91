"""All kinds of event can be imported from `tracediag.trace.events`, wherever each is defined."""

from tracediag.trace import events, records, syscalls


def test_every_kind_of_event_has_one_address():
    def kinds(module):
        return {
            name for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, syscalls.Event)
        }

    assert kinds(syscalls) | kinds(records) <= set(events.__all__)
    assert all(hasattr(events, name) for name in events.__all__)
