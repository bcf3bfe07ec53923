"""XPath 1.0 as FILTERXML uses it."""

from __future__ import annotations

import pytest
from calls import VALUE, call

LIST = "<t><s>ABC</s><s>123</s><s>DEF</s><s>456</s><s>XY-1A</s><s>ABC</s><s>9.5</s><s></s></t>"
TREE = (
    '<r xmlns:k="u:k"><a n="1"><b>x</b><b>y</b></a><a n="2"><b>z</b>tail</a><k:c>q</k:c><d><e><f>deep</f></e></d>'
    "<a n='10'/></r>"
)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("//s", ["ABC", 123.0, "DEF", 456.0, "XY-1A", "ABC", 9.5, ""]),
        ("//s[3]", "DEF"),
        ("//s[position()=4]", 456.0),
        ("//s[last()]", ""),
        ("//s[last()-1]", 9.5),
        ("//s[position() mod 2 = 0]", [123.0, 456.0, "ABC", ""]),
        ("//s[position()<3]", ["ABC", 123.0]),
        ("//s[.*0=0]", [123.0, 456.0, 9.5]),
        ("//s[number()=.]", [123.0, 456.0, 9.5]),
        ("//s[.*0!=0]", ["ABC", "DEF", "XY-1A", "ABC", ""]),
        ("//s[not(number()=.)]", ["ABC", "DEF", "XY-1A", "ABC", ""]),
        ("//s[preceding::*=.]", "ABC"),
        ("//s[not(preceding::*=.)][.!='']", ["ABC", 123.0, "DEF", 456.0, "XY-1A", 9.5]),
        ("//s[following::*=.]", "ABC"),
        ("//s[not(preceding::*=. or following::*=.)][1]", 123.0),
        ("//s[contains(.,'B')]", ["ABC", "ABC"]),
        ("//s[starts-with(., 'XY')]", "XY-1A"),
        ("//s[substring(., string-length(.) - string-length('C') + 1) = 'C']", ["ABC", "ABC"]),
        ("//s[string-length()=5]", "XY-1A"),
        ("//s[translate(.,'ABCDEF','')='']", ["ABC", "DEF", "ABC", ""]),
        ("//s[translate(., '1234567890', '') = .][.!='']", ["ABC", "DEF", "ABC"]),
        ("//s[.='DEF']/following::s[1]", 456.0),
        ("//s[.='DEF']/preceding-sibling::s[1]", 123.0),
        ("//s[ancestor::t][1]", "ABC"),
        ("//s[. > 100 and . < 400]", 123.0),
        ("//s[floor(.) = .]", [123.0, 456.0]),
        ("//s[count(following-sibling::*) = 2]", "ABC"),
        ("//s[1] | //s[3]", ["ABC", "DEF"]),
        ("(//s)[2]", 123.0),
        ("//s[sum(//s[.*0=0]) > 588]", ["ABC", 123.0, "DEF", 456.0, "XY-1A", "ABC", 9.5, ""]),
        ("/t/s[2]", 123.0),
        ("t/s[2]", 123.0),
        ("//s/text()", ["ABC", 123.0, "DEF", 456.0, "XY-1A", "ABC", 9.5]),
        ("//s[true()][normalize-space(.)='ABC'][2]", "ABC"),
        ("//s[concat('a', .) = 'aDEF']", "DEF"),
        ("//s[substring-before(., '-') = 'XY'] | //s[substring-after(., '-') = '1A']", "XY-1A"),
        ("//s[round(.) = 10]", 9.5),
        ("//s[-. = -123]", 123.0),
        ("//s[. div 2 = 228]", 456.0),
        ("//s[boolean(2) != false()][ceiling(.) = 10]", 9.5),
    ],
)
def test_lists(path: str, wanted: object) -> None:
    found = call("FILTERXML", LIST, path)
    assert ([row[0] for row in found] if isinstance(found, list) else found) == wanted


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("//a/@n", [1.0, 2.0, 10.0]),
        ("//a[@n>1]/b", "z"),
        ("/r/a[1]/b[2]", "y"),
        ("//b[2]", "y"),
        ("//a[b='z']/@n", 2.0),
        ("//f/../..", "deep"),
        ("//f/ancestor::d", "deep"),
        ("//f/ancestor-or-self::*[2]", "deep"),
        ("//@*[name()='n'][. = 10]", 10.0),
        ("//*[local-name()='c']", "q"),
        ("//k:c", "q"),
        ("//a[2]/node()", ["z", "tail"]),
        ("/descendant::b[3]", "z"),
        ("//a[not(b)]/attribute::n", 10.0),
        ("//b/parent::a[@n='2']/@n", 2.0),
        ("//*[namespace-uri()='u:k']", "q"),
        ("/", "xyztailqdeep"),
    ],
)
def test_trees(path: str, wanted: object) -> None:
    found = call("FILTERXML", TREE, path)
    assert ([row[0] for row in found] if isinstance(found, list) else found) == wanted


@pytest.mark.parametrize(
    "path",
    ["", "//", "//s[", "//s]", "count(//s)", "1", "'a'", "//nothing", "//s[foo()]", "foo::s", "//s[.=]", "//s[$x]", "@",
     "//s[" + "(" * 200 + "1" + ")" * 200 + "]", "string(//s)", "//s[count(1)]", "//s[translate('a')]", "a b", "#"],
)  # fmt: skip
def test_what_is_no_path_or_finds_nothing(path: str) -> None:
    assert call("FILTERXML", LIST, path) is VALUE


def test_declarations_are_refused() -> None:
    assert call("FILTERXML", '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', "//r") is VALUE
