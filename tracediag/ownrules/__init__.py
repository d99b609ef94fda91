"""Rules that users write for themselves: pages in a folder, and Python rules of installed packages.

folder    a folder that may hold anything -> the texts of its pages
pages     the text of a page -> a rule
plugins   the entry points `tracediag.rules` -> rules
legality  which codes and names a rule may have, and what else a class of a rule must have
loading   all of them together with ours: `RuleSet`

A page is data: no folder and no configuration makes tracediag execute code. What is installed in its environment may.
"""

from tracediag.ownrules.loading import OwnRules, RuleSet, RulesFolderError, load_rules

__all__ = ["OwnRules", "RuleSet", "RulesFolderError", "load_rules"]
