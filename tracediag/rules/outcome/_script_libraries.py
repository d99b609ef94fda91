"""The modules of the libraries of Perl and Ruby: which file is one, and which of them an error message names."""

from __future__ import annotations

import msgspec

from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_PERL_NAMES = """
Archive::Tar Benchmark Carp Config CPAN Cwd DB_File Data::Dumper Digest Digest::MD5 Digest::SHA Encode English
Env Errno Exporter Fcntl File::Basename File::Copy File::Find File::Glob File::Path File::Spec File::Temp
FindBin Getopt::Long Getopt::Std HTTP::Tiny Hash::Util IO::File IO::Handle IO::Select IO::Socket IPC::Open2
IPC::Open3 JSON::PP List::Util MIME::Base64 Math::BigInt Memoize Module::Load Net::FTP Net::SMTP POSIX
Params::Check PerlIO Pod::Usage Scalar::Util Socket Storable Symbol Sys::Hostname Term::ANSIColor
Term::ReadLine Test::More Text::Abbrev Text::Balanced Text::ParseWords Text::Tabs Text::Wrap Thread::Queue
Tie::File Time::HiRes Time::Local Time::Piece Unicode::Normalize constant parent strict utf8 version warnings
"""
_PERL = frozenset(_PERL_NAMES.split())
"""Modules that come with Perl: perlmodlib(1)."""
_RUBY = {
    "base64": "Base64",
    "benchmark": "Benchmark",
    "bigdecimal": "BigDecimal",
    "csv": "CSV",
    "date": "Date",
    "digest": "Digest",
    "erb": "ERB",
    "fileutils": "FileUtils",
    "json": "JSON",
    "logger": "Logger",
    "net/http": "Net",
    "open3": "Open3",
    "openssl": "OpenSSL",
    "optparse": "OptionParser",
    "ostruct": "OpenStruct",
    "pathname": "Pathname",
    "psych": "Psych",
    "securerandom": "SecureRandom",
    "set": "Set",
    "shellwords": "Shellwords",
    "socket": "Socket",
    "stringio": "StringIO",
    "strscan": "StringScanner",
    "tempfile": "Tempfile",
    "time": "Time",
    "timeout": "Timeout",
    "uri": "URI",
    "yaml": "YAML",
    "zlib": "Zlib",
}
"""Libraries that come with Ruby, and what each defines."""
_INSTALLED = lazy_pattern(
    r"^/usr/(?:local/)?(?:lib|share)|/perl5/|/share/perl|/lib/perl|/gems/|/lib/ruby/|/site_perl/|/vendor_(?:perl|ruby)/"
)
_PERL_SAYS = lazy_pattern(
    r'via package "([\w:]++)"|'
    r"is not exported by the ([\w:]++) module|Undefined subroutine &((?>\w++::)++)"
    r"|([\w/]++)\.pm did not return a true value|([\w:]++) version \S++ required--this is only"
    r"|([\w:]++) does not define \$"
)
_RUBY_SAYS = lazy_pattern(
    r"uninitialized constant (\w++)|undefined method [`']\S{1,80}' for (?:module |class )?(\w++)(?::Module|:Class|$|\b)"
)
_SHOWN = lazy_pattern(r"\(\w*Error\)|NameError|NoMethodError")


class Library(msgspec.Struct, frozen=True):
    """A language: what it calls its modules, and what decides which file it takes."""

    language: str
    why: str
    fix: str


PERL = Library(
    "Perl",
    "perl takes the first file of that name in @INC, which begins with the folders of `-I`, PERL5LIB and `use lib`:"
    " perlrun(1), lib(3perl)",
    "rename {0}, or take its folder out of `-I`, PERL5LIB or `use lib`; perl -V shows @INC, and"
    " perl -M{1} -e 'print $INC{{\"{2}\"}}' which file is taken",
)
RUBY = Library(
    "Ruby",
    "require takes the first file of that name in $LOAD_PATH, which begins with the folders of `-I` and RUBYLIB:"
    " ruby(1)",
    "rename {0}, or take its folder out of `-I` or RUBYLIB; ruby -r{1} -e 'puts $LOADED_FEATURES' shows the file",
)


class Taken(msgspec.Struct, frozen=True):
    """A file of a program in Perl or Ruby that stands for a module of the library."""

    call: Syscall
    path: str
    library: Library
    module: str

    @property
    def word(self) -> str:
        """What an error message calls the module."""
        return _RUBY[self.module] if self.library is RUBY else self.module

    @property
    def fix(self) -> str:
        """What to do about it."""
        return self.library.fix.format(self.path, self.module, self.module.replace("::", "/") + ".pm")

    def is_named(self, text: str) -> bool | None:
        """Whether an error message names the module; None if it may be about the module without naming it."""
        pattern = _PERL_SAYS if self.library is PERL else _RUBY_SAYS
        found = [next(filter(None, groups), "").rstrip(":") for groups in pattern.findall(text)]
        if self.library is RUBY:
            return self.word in found and _SHOWN.search(text) is not None
        names = {name.replace("/", "::") for name in found}
        return True if self.module in names else None if names == {"main"} else False


def taken_for(call: Syscall, path: str) -> Taken | None:
    """Return what a file of a program stands for; None for a file of the library, or with another name."""
    if _INSTALLED.search(path) is not None:
        return None
    stem, _, suffix = path.removeprefix("./").rpartition(".")
    parts = stem.split("/")
    library, glue, known = (PERL, "::", _PERL) if suffix == "pm" else (RUBY, "/", frozenset(_RUBY))
    names = (glue.join(parts[-count:]) for count in (2, 1))
    return next((Taken(call, path, library, name) for name in names if name in known), None)
