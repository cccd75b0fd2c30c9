"""What kind of place an address is, whatever it is dressed as."""

from ipaddress import ip_address

import pytest

from mutx.services.egress.addresses import Networks, Resolved, address_kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.216.34", "public"),
        ("2606:2800:220:1:248:1893:25c8:1946", "public"),
        ("127.8.9.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("169.254.169.254", "link_local"),
        ("::ffff:169.254.169.254", "link_local"),
        ("fe80::1", "link_local"),
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("100.100.100.200", "private"),
        ("fd00::1", "private"),
        ("0.0.0.0", "private"),
        ("224.0.0.1", "multicast"),
    ],
)
def test_kinds(address: str, kind: str) -> None:
    assert address_kind(ip_address(address)) == kind


def test_networks_are_admitted_by_name() -> None:
    networks = Networks(("10.0.0.0/8", "fd00::/8"))
    assert networks.admit(Resolved("93.184.216.34", "public"))
    assert networks.admit(Resolved("10.9.9.9", "private"))
    assert networks.admit(Resolved("::ffff:10.9.9.9", "private"))
    assert networks.admit(Resolved("fd00::5", "private"))
    assert not networks.admit(Resolved("192.168.1.1", "private"))
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Networks(("10.0.0.1/8",))
