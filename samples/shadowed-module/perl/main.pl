use lib "lib";
use Text::Wrap;
print Text::Wrap::wrap("", "", "hello\n");
