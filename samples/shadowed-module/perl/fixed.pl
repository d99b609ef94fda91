use Text::Wrap;
print Text::Wrap::wrap("", "", "hello\n");
