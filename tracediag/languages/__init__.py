"""What the hosts of the grammars share: finding the text of a grammar, building its parser, keeping what takes long."""
