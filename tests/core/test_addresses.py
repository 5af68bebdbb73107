"""Which addresses a tenant's request may go to, in every way of writing them."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from apps.core import addresses
from apps.core.addresses import AddressRefused, EgressError, InvalidRequest, Origin

EXAMPLE = Origin("https", "api.example.com", 443)

PRIVATE = [
    *(
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
    ),
    *("192.168.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::1", "2002:808:808::1", "5f00::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("3fff::1", "4000::1", "fe80::1%1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255"),
    *("172.32.0.0", "192.167.255.255", "198.17.255.255", "223.255.255.255", "157.240.22.35"),
    *("2606:4700:4700::1111", "2a03:2880:f12f:83:face:b00c:0:25de", "2001:4860:4860::8888", "2804:14d::1"),
]
# Every way to write 127.0.0.1, or no public address at all, in a URL.
ODD_NUMBERS = [
    *("127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001", "0x7f.0.0.1", "0177.0.0.1"),
    *("127.0.0.01", "127.0.0.0x1", "127.0.0.256", "256.256.256.256", "1.2.3.4.5", "0", "0x", "00.0.0.0", "example.1"),
]
INSIDE_NAMES = [
    *("localhost", "LOCALHOST", "a.localhost", "metadata", "metadata.google.internal", "METADATA.GOOGLE.INTERNAL"),
    *("metadata.goog", "instance-data", "instance-data.ec2.internal", "printer.local", "router.lan", "nas.home.arpa"),
]
NO_URLS = [
    *("", "example.com", "//example.com", "/etc/passwd", "file:///etc/passwd", "ftp://example.com", "gopher://x/"),
    *(
        "javascript:alert(1)",
        "data:text/plain,x",
        "http:/example.com",
        "http:///x",
        "http://",
        "https://:80/",
        "httpſ://a.b",
    ),
    *("http://user@example.com", "http://user:password@example.com", "http://example.com@127.0.0.1/"),
    *("http://example.com\\@127.0.0.1/", "http://127.0.0.1\\.example.com", "http://example.com#@127.0.0.1:80@/\n"),
    *("http://example.com.", "http://localhost.", "http://127.0.0.1.", "http://.example.com", "http://a..b"),
    *(
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://\uff2c\uff2fCALHOST/",
        "http://\u212aube/",
    ),
    *("http://padaria-são.example/", "http://ex\u00adample.com", "http://127%2e0.0.1/", "http://%6cocalhost/"),
    *(
        "http://example.com:0",
        "http://example.com:65536",
        "http://example.com:",
        "http://example.com:-1",
        "http://a:b:c",
    ),
    *("http://exa mple.com", "http://exam\tple.com", "http://example.com/\r\nHost: x", "http://example.com\0"),
    *(
        "http://[::1",
        "http://[::1]x",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[::gggg]/",
        "http://::1/",
    ),
    *("http://-a.com", "http://a-.com", f"http://{'a' * 64}.com", "http://" + ".".join(["a" * 60] * 5)),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_address_that_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert addresses.permits(EXAMPLE, ip_address(address)) is False


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_let_through(address: str) -> None:
    assert addresses.permits(EXAMPLE, ip_address(address)) is True


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_whatever_passes_is_global_by_the_standard_librarys_tables_too(address: IPv4Address | IPv6Address) -> None:
    if addresses.permits(EXAMPLE, address):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}"]))
def test_no_ipv6_form_that_carries_an_ipv4_address_passes(address: IPv4Address, form: str) -> None:
    assert addresses.permits(EXAMPLE, ip_address(form.format(address))) is False


@pytest.mark.parametrize("host", ODD_NUMBERS)
def test_number_that_is_no_plain_address_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.check(f"http://{host}:8000/x")


@pytest.mark.parametrize("host", INSIDE_NAMES)
def test_name_that_means_something_inside_only_is_refused_whatever_it_leads_to(host: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.check(f"http://{host}/x")
    assert addresses.permits(addresses.parse(f"http://{host}/")[0], ip_address("8.8.8.8")) is False


@pytest.mark.parametrize("address", [address for address in PRIVATE if "%" not in address])
def test_url_of_a_refused_address_is_refused_without_a_look_up(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    for scheme in ("http", "https"):
        with pytest.raises(AddressRefused) as refusal:
            addresses.check(f"{scheme}://{host}/x")
        assert refusal.value.message == "This address is not allowed."


@pytest.mark.parametrize("url", NO_URLS, ids=ascii)
def test_what_is_no_url_of_a_web_server_is_told_apart(url: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        addresses.check(url)
    assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (400, "invalid_request", False)


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://api.example.com", EXAMPLE, "/"),
        ("HTTPS://API.Example.COM:443/A?b=C#d", EXAMPLE, "/A?b=C"),
        ("https://api.example.com?x=1", EXAMPLE, "/?x=1"),
        (" https://api.example.com/pão de ló?q=é&f[a]=%20#é ", EXAMPLE, "/p%C3%A3o%20de%20l%C3%B3?q=%C3%A9&f[a]=%20"),
        ("https://api.example.com/@127.0.0.1/\\", EXAMPLE, "/@127.0.0.1/%5C"),
        ("http://a_b.example:8080//x", Origin("http", "a_b.example", 8080), "//x"),
        ("http://1.1.1.1/", Origin("http", "1.1.1.1", 80), "/"),
        ("https://[2606:4700:0::1111]:8443/", Origin("https", "2606:4700::1111", 8443), "/"),
        ("http://xn--padaria-so-k3a.example/", Origin("http", "xn--padaria-so-k3a.example", 80), "/"),
        ("http://127.0.0.1.example.com/", Origin("http", "127.0.0.1.example.com", 80), "/"),
    ],
)
def test_url_is_read_as_what_is_connected_to(url: str, origin: Origin, target: str) -> None:
    assert addresses.parse(url) == (origin, target)
    addresses.check(url)


@given(st.text() | st.text("htps:/@[]0123456789abcdefx.%\\#?", max_size=40).map("http://{}".format))
def test_no_text_whatever_is_more_than_refused(text: str) -> None:
    try:
        origin, target = addresses.parse(text)
    except EgressError:
        return
    assert str(origin).isascii()
    assert target.startswith("/")
    assert target.isascii()


@pytest.mark.parametrize(
    ("entry", "url", "address"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000/", "127.0.0.1"),
        ("127.0.0.1:8000", "http://localhost:8000/", "127.0.0.1"),
        ("127.0.0.1:8000", "http://model.example:8000/", "127.0.0.1"),
        ("model.internal:8000", "http://model.internal:8000/", "10.0.0.5"),
        (" Model.Internal:80 ", "http://MODEL.internal/", "10.0.0.5"),
        ("10.0.0.5:443", "https://model.internal/", "10.0.0.5"),
        ("[::1]:8000", "http://[::1]:8000/", "::1"),
        ("[fd00::5]:8000", "http://model.example:8000/", "fd00::5"),
    ],
)
def test_exempt_host_and_port_is_let_through(entry: str, url: str, address: str, settings: LazySettings) -> None:
    settings.EGRESS_ALLOW = [entry]
    addresses.check(url)
    assert addresses.permits(addresses.parse(url)[0], ip_address(address)) is True


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8001/", "127.0.0.1"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.2:8000/", "127.0.0.2"),
        ("http://[::ffff:7f00:1]:8000/", "::ffff:7f00:1"),
        ("http://localhost:8000/", "::1"),
        ("http://model.internal:8000/", "8.8.8.8"),
        ("http://model.example:8000/", "10.0.0.5"),
    ],
)
def test_exemption_is_for_exactly_that_host_and_port(url: str, address: str, settings: LazySettings) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1:8000", "other.internal:9000"]
    assert addresses.permits(addresses.parse(url)[0], ip_address(address)) is False


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("https://api.example.com/", {"api.example.com"}, True),
        ("https://api.example.com:443/", {"api.example.com:443"}, True),
        ("http://api.example.com/", {"api.example.com:443"}, False),
        ("https://api.example.com:8443/", {"api.example.com"}, False),
        ("https://api.example.com:8443/", {"api.example.com:8443"}, True),
        ("https://api.example.com.evil.example/", {"api.example.com"}, False),
        ("https://example.com/", {"api.example.com"}, False),
        ("https://[2606:4700::1111]/", {"[2606:4700::1111]"}, True),
        ("https://api.example.com/", set(), False),
    ],
)
def test_host_is_matched_whole_and_with_its_port(url: str, hosts: set[str], expected: bool) -> None:
    assert addresses.parse(url)[0].is_among(hosts) is expected
