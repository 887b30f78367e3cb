//! What the client's address promises.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use donjon::client_address::{Client, ClientAddressError, MAX_HOPS, MAX_READ_LEN, MAX_TRUSTED, Proxies};
use donjon::error::Status;
use proptest::prelude::*;

const BY_NETWORK: &str = r#"{"header":"x-forwarded-for","trusted":["10.0.0.0/8","2001:db8::/32"]}"#;
const FORWARDED: &str = r#"{"header":"forwarded","trusted":["10.0.0.0/8","2001:db8::/32"]}"#;
const PEER: &str = "10.0.0.1";

fn proxies(config: &str) -> Proxies {
    Proxies::from_json(config.as_bytes()).unwrap()
}

fn client(config: &str, peer: &str, lines: &str) -> Client {
    proxies(config).client(peer.as_bytes(), lines.as_bytes()).unwrap()
}

/// The client's address, with a `*` if the header named it.
fn found(config: &str, peer: &str, lines: &str) -> String {
    let client = client(config, peer, lines);
    format!("{}{}", client.ip, if client.from_header { "*" } else { "" })
}

fn refusal(config: &str) -> (String, &'static str) {
    match Proxies::from_json(config.as_bytes()) {
        Err(ClientAddressError::Config { path, reason }) => (path, reason),
        other => panic!("{config}: {other:?}"),
    }
}

#[test]
fn without_a_named_header_the_peer_is_the_client() {
    for config in ["", "{}", r#"{"header":null,"trusted":null,"hops":null,"ipv6_prefix":null}"#] {
        assert_eq!(proxies(config).header(), None);
        for lines in ["", "1.2.3.4", "for=1.2.3.4"] {
            assert_eq!(found(config, "10.0.0.1:4711", lines), "10.0.0.1");
        }
    }
    // Nor where proxies are trusted, or counted: there is nothing to read.
    assert_eq!(found(r#"{"trusted":["10.0.0.0/8"]}"#, PEER, "1.2.3.4"), "10.0.0.1");
    assert_eq!(found(r#"{"hops":1}"#, PEER, "1.2.3.4"), "10.0.0.1");
}

#[test]
fn a_header_counts_for_nothing_from_a_peer_that_is_not_trusted() {
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let lines = if header == "forwarded" { "for=1.2.3.4" } else { "1.2.3.4" };
        let with = |more: &str| format!(r#"{{"header":"{header}"{more}}}"#);
        for peer in ["203.0.113.9", "9.255.255.255", "11.0.0.0", "::10.0.0.1", "64:ff9b::10.0.0.1"] {
            let peer_ip: IpAddr = peer.parse().unwrap();
            assert_eq!(found(&with(r#","trusted":["10.0.0.0/8"]"#), peer, lines), peer_ip.to_string());
            assert_eq!(found(&with(""), peer, lines), peer_ip.to_string());
            assert_eq!(found(&with(r#","trusted":[],"hops":0"#), peer, lines), peer_ip.to_string());
        }
        assert_eq!(found(&with(r#","trusted":["10.0.0.0/8"]"#), "::ffff:10.0.0.1", lines), "1.2.3.4*");
        assert_eq!(proxies(&with("")).header(), Some(header));
    }
}

#[test]
fn the_rightmost_address_that_is_not_trusted_is_the_client() {
    for (lines, expected) in [
        ("1.2.3.4", "1.2.3.4*"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4*"),
        ("6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4*"),
        ("6.6.6.6,1.2.3.4,10.1.1.1,2001:db8::7", "1.2.3.4*"),
        ("6.6.6.6\n1.2.3.4\n10.1.1.1", "1.2.3.4*"),
        ("6.6.6.6, 10.1.1.1\n1.2.3.4, 10.1.1.2\n10.1.1.3", "1.2.3.4*"),
        (" \t1.2.3.4\t \t,\t10.1.1.1 ", "1.2.3.4*"),
        ("junk, unknown, , 1.2.3.4", "1.2.3.4*"),
        // All of them proxies: the one that was there first.
        ("10.3.3.3, 10.2.2.2, 10.1.1.1", "10.3.3.3*"),
        ("10.0.0.1", "10.0.0.1*"),
        // Each form of an address.
        ("6.6.6.6, 1.2.3.4:65535, 10.1.1.1:80", "1.2.3.4*"),
        ("6.6.6.6, [2a00::1]:443, [2001:db8::7]:80", "2a00::1*"),
        ("6.6.6.6, [2a00::1], [2001:db8::7]", "2a00::1*"),
        ("6.6.6.6, 2a00::1%eth0, 2001:db8::7%7", "2a00::1*"),
        ("6.6.6.6, 2A00:0:0::1", "2a00::1*"),
        // IPv4-mapped addresses are IPv4 addresses, trusted or not.
        ("6.6.6.6, ::ffff:1.2.3.4, ::ffff:10.1.1.1", "1.2.3.4*"),
        ("6.6.6.6, [::ffff:102:304]:80, [::ffff:a01:101]:80", "1.2.3.4*"),
        // What only contains one is something else.
        ("6.6.6.6, ::10.1.1.1, 10.1.1.1", "::a01:101*"),
        ("6.6.6.6, 64:ff9b::10.1.1.1, 10.1.1.1", "64:ff9b::a01:101*"),
        ("6.6.6.6, 2002:a01:101::, 10.1.1.1", "2002:a01:101::*"),
    ] {
        assert_eq!(found(BY_NETWORK, PEER, lines), expected, "{lines:?}");
    }
    assert_eq!(found(BY_NETWORK, "[2001:db8::1]:4711", "6.6.6.6, 1.2.3.4, 10.1.1.1"), "1.2.3.4*");
}

#[test]
fn what_is_met_and_is_no_address_leaves_it_at_the_peer() {
    for junk in [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "-",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:99999",
        "1.2.3.4/32",
        "\"1.2.3.4\"",
        "1.2.3.4 5.6.7.8",
        "1.2.3.4;",
        "for=1.2.3.4",
        "[1.2.3.4]",
        "[2a00::1",
        "2a00::1]",
        "[2a00::1]x",
        "2a00::1%",
        "2a00:::1",
        "1.2.3.4\0",
        "\x001.2.3.4",
        "1.2.3.4\r",
        "\r",
        "\u{a0}1.2.3.4",
        "1.2.3.\u{664}",
        "１.2.3.4",
        "%31.2.3.4",
    ] {
        for lines in
            [junk.to_owned(), format!("6.6.6.6,{junk}"), format!("6.6.6.6\n{junk},10.1.1.1\n10.2.2.2")]
        {
            assert_eq!(found(BY_NETWORK, PEER, &lines), "10.0.0.1", "{lines:?}");
        }
    }
    let not_utf8 = proxies(BY_NETWORK).client(PEER.as_bytes(), b"6.6.6.6, 1.2.3.4\xff").unwrap();
    assert!(!not_utf8.from_header);
}

#[test]
fn hops_count_from_the_right() {
    let with = |hops: u8| format!(r#"{{"header":"x-forwarded-for","hops":{hops}}}"#);
    let lines = "1.1.1.1, junk\n3.3.3.3:80, [2a00::4]:80 ,5.5.5.5";
    for (hops, expected) in [
        (1, "5.5.5.5*"),
        (2, "2a00::4*"),
        (3, "3.3.3.3*"),
        (4, "9.9.9.9"),
        (5, "1.1.1.1*"),
        (6, "9.9.9.9"),
        (255, "9.9.9.9"),
    ] {
        assert_eq!(found(&with(hops), "9.9.9.9", lines), expected, "{hops}");
    }
    assert_eq!(found(&with(0), "9.9.9.9", lines), "9.9.9.9");
    assert_eq!(found(&with(1), "9.9.9.9", ""), "9.9.9.9");
    // An entry that nobody filled is one all the same.
    assert_eq!(found(&with(2), "9.9.9.9", "1.1.1.1,,3.3.3.3"), "9.9.9.9");
    assert_eq!(found(&with(3), "9.9.9.9", "1.1.1.1,,3.3.3.3"), "1.1.1.1*");
}

#[test]
fn x_real_ip_is_one_address_or_nothing() {
    for config in [r#"{"header":"X-Real-IP","trusted":["10.0.0.0/8"]}"#, r#"{"header":"X-Real-IP","hops":3}"#]
    {
        for (lines, expected) in [
            ("1.2.3.4", "1.2.3.4*"),
            (" 1.2.3.4:80 ", "1.2.3.4*"),
            ("[2a00::1]", "2a00::1*"),
            ("10.9.9.9", "10.9.9.9*"),
            ("", "10.0.0.1"),
            ("1.2.3.4, 5.6.7.8", "10.0.0.1"),
            ("1.2.3.4,", "10.0.0.1"),
            (",1.2.3.4", "10.0.0.1"),
            ("1.2.3.4\n5.6.7.8", "10.0.0.1"),
            ("1.2.3.4\n1.2.3.4", "10.0.0.1"),
            ("1.2.3.4\n", "10.0.0.1"),
            ("\n1.2.3.4", "10.0.0.1"),
            ("unknown", "10.0.0.1"),
        ] {
            assert_eq!(found(config, PEER, lines), expected, "{config} {lines:?}");
        }
        let padded = format!("{}1.2.3.4", " ".repeat(MAX_READ_LEN));
        assert_eq!(found(config, PEER, &padded), "10.0.0.1");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_writes_it() {
    for (lines, expected) in [
        ("for=1.2.3.4", "1.2.3.4*"),
        ("For=1.2.3.4", "1.2.3.4*"),
        ("for=\"1.2.3.4\"", "1.2.3.4*"),
        ("for=\"1.2.3.4:80\"", "1.2.3.4*"),
        ("for=\"1.2.3.4:_port\"", "1.2.3.4*"),
        ("for=\"[2a00::1]\"", "2a00::1*"),
        ("FOR=\"[2a00::1]:4711\"", "2a00::1*"),
        ("for=\"[2a00::1]:_p.o-r_t\"", "2a00::1*"),
        ("for=\"2a00::1\"", "2a00::1*"),
        ("for=1.2.3.4;proto=http;by=10.0.0.1", "1.2.3.4*"),
        ("proto=http;by=\"[2001:db8::1]\";for=1.2.3.4", "1.2.3.4*"),
        ("by=_proxy ; for=1.2.3.4 ; host=\"a, b; for=6.6.6.6\"", "1.2.3.4*"),
        (";;for=1.2.3.4;", "1.2.3.4*"),
        ("for=1.2.3.4;x!#$%&'*+-.^_`|~9=y", "1.2.3.4*"),
        ("for=1.2.3.4;x=\"\\\"\\\\\\,\t\u{e9}\"", "1.2.3.4*"),
        ("for=1.2.3.4;x=\"\\\\\"", "1.2.3.4*"),
        ("for=1.2.3.4;x=\"\\\"\"", "1.2.3.4*"),
        ("for=6.6.6.6, for=1.2.3.4, for=\"[2001:db8::7]\", for=10.1.1.1", "1.2.3.4*"),
        ("for=6.6.6.6\nfor=1.2.3.4;by=10.1.1.1\nfor=10.1.1.1", "1.2.3.4*"),
        ("for=10.2.2.2, for=10.1.1.1", "10.2.2.2*"),
        ("for=\"[::ffff:10.1.1.1]\";by=x, for=10.1.1.1", "10.1.1.1*"),
    ] {
        assert_eq!(found(FORWARDED, PEER, lines), expected, "{lines:?}");
    }
}

#[test]
fn an_element_without_an_address_or_not_of_the_grammar_is_none() {
    for element in [
        "",
        ";",
        "proto=https",
        "for=unknown",
        "for=_hidden",
        "for=\"_hidden\"",
        "for=\"unknown:80\"",
        "for",
        "for=",
        "for=\"\"",
        "=1.2.3.4",
        "for =1.2.3.4",
        "for= 1.2.3.4",
        "for=1.2.3.4:80",
        "for=[2a00::1]",
        "for=2a00::1",
        "for=\"2a00::1:_p\"",
        "for=\"1.2.3.4:_\"",
        "for=\"1.2.3.4:_p!\"",
        "for=\"1.2.3.4:_p:1\"",
        "for=\"1.2.3.4",
        "for=1.2.3.4\"",
        "for=\"1.2.3.4\"x",
        "for=\"1.2.3.4\"\"\"",
        "for=\"1.2.3.\\4\"",
        "for=\" 1.2.3.4\"",
        "for='1.2.3.4'",
        "for=1.2.3.4 by=x",
        "for=1.2.3.4;by",
        "for=1.2.3.4;by=",
        "for=1.2.3.4;=x",
        "for=1.2.3.4;b y=x",
        "for=1.2.3.4;for=1.2.3.4",
        "for=1.2.3.4;FOR=unknown",
        "for=1.2.3.4;x=\"\\\"",
        "for=1.2.3.4;x=\"\0\"",
        "for=1.2.3.4;x=\"\\\0\"",
        "for=1.2.3.4;x=\"\r\"",
        "for=1.2.3.4;x=\u{e9}",
        "for=1.2.3.4\0",
        "f\0or=1.2.3.4",
        "for=1.2.3.4;x=a\"b\"",
        "1.2.3.4",
        "x=\"for=1.2.3.4\"",
        "for==1.2.3.4",
        "\"for\"=1.2.3.4",
    ] {
        for lines in [
            element.to_owned(),
            format!("for=6.6.6.6,{element}"),
            format!("for=6.6.6.6\n{element}\nfor=10.1.1.1"),
        ] {
            assert_eq!(found(FORWARDED, PEER, &lines), "10.0.0.1", "{lines:?}");
        }
    }
}

#[test]
fn an_open_quote_of_the_clients_swallows_nothing() {
    for opened in [
        "for=\"",
        "for=\"6.6.6.6",
        "for=6.6.6.6;x=\"\\",
        "\"",
        "\\\"",
        "x=\"\\\\\\\"",
        "for=\"6.6.6.6\";\"",
        "\"\n",
    ] {
        for appended in [
            "for=1.2.3.4",
            "for=\"1.2.3.4\"",
            "for=\"1.2.3.4:80\";by=\"[2001:db8::1]\"",
            "by=\"a\\\"b\\\\\";for=1.2.3.4;host=\"x, y\"",
        ] {
            let lines = format!("{opened}, {appended}, for=10.1.1.1");
            assert_eq!(found(FORWARDED, PEER, &lines), "1.2.3.4*", "{lines:?}");
        }
    }
}

#[test]
fn a_long_header_does_not_make_the_client_the_proxy() {
    for (config, entry) in [
        (BY_NETWORK, "6.6.6.6, "),
        (FORWARDED, "for=6.6.6.6;x=\"\\\", "),
        (BY_NETWORK, "\n"),
        (FORWARDED, "\""),
    ] {
        let last = if config == FORWARDED { "for=1.2.3.4, for=10.1.1.1" } else { "1.2.3.4, 10.1.1.1" };
        let lines = format!("{}, {last}", entry.repeat(200_000));
        assert_eq!(found(config, PEER, &lines), "1.2.3.4*");
    }
}

#[test]
fn no_more_than_the_end_is_read_and_nothing_that_is_cut_in_two() {
    // The client's address, whose ends are addresses too, with room for 13 bytes before the proxies.
    let (client, hops) = ("111.2.3.4", ",10.1.1.1".repeat(1_819));
    assert_eq!(MAX_READ_LEN - hops.len(), 13);
    for blanks in 0..20 {
        let gap = " ".repeat(blanks);
        // The first of all, then behind another one, whose comma has to be within what is read.
        let first = found(BY_NETWORK, PEER, &format!("{client}{gap}{hops}"));
        assert_eq!(first, if blanks <= 4 { "111.2.3.4*" } else { "10.0.0.1" }, "{blanks}");
        let second = found(BY_NETWORK, PEER, &format!("6.6.6.6,{client}{gap}{hops}"));
        assert_eq!(second, if blanks <= 3 { "111.2.3.4*" } else { "10.0.0.1" }, "{blanks}");
    }
    let by_hops = |hops: u8| format!(r#"{{"header":"x-forwarded-for","hops":{hops}}}"#);
    let entry = format!(",{}1.2.3.4", " ".repeat(992));
    let lines = entry.repeat(20);
    assert_eq!(entry.len(), 1000);
    assert_eq!(found(&by_hops(16), PEER, &lines), "1.2.3.4*");
    assert_eq!(found(&by_hops(17), PEER, &lines), "10.0.0.1");
    assert_eq!(found(&by_hops(18), PEER, &lines), "10.0.0.1");
}

#[test]
fn a_header_of_the_worst_kind_takes_no_time_to_speak_of() {
    let trusted: Vec<String> =
        (0..MAX_TRUSTED).map(|n| format!("\"10.{}.{}.0/24\"", n / 256, n % 256)).collect();
    let trusted = trusted.join(",");
    for (header, entry) in [
        ("x-forwarded-for", ","),
        ("x-forwarded-for", "10.1.1.1,"),
        ("forwarded", "\\\""),
        ("forwarded", "\""),
        ("forwarded", "\\"),
        ("forwarded", ";"),
        ("forwarded", "a=b;"),
        ("forwarded", "for=10.1.1.1,"),
    ] {
        let proxies = proxies(&format!(r#"{{"header":"{header}","trusted":[{trusted}]}}"#));
        let last = if header == "forwarded" { "for=10.1.1.1" } else { "10.1.1.1" };
        let lines = [&entry.repeat(MAX_READ_LEN), last].concat();
        let begin = Instant::now();
        for _ in 0..50 {
            proxies.client(b"10.0.0.1", lines.as_bytes()).unwrap();
        }
        // Fifty times 16 KiB. In quadratic time, or with a search per network, it would be minutes.
        assert!(begin.elapsed() < Duration::from_secs(5), "{entry:?}");
    }
}

#[test]
fn a_peer_without_an_address_needs_a_header_that_speaks_for_it() {
    for peer in [
        "",
        "@",
        "unix:",
        "/run/app.sock",
        "testclient",
        " 1.2.3.4",
        "1.2.3.4 ",
        "01.2.3.4",
        "1.2.3.4,5.6.7.8",
    ] {
        for config in
            ["", BY_NETWORK, FORWARDED, r#"{"header":"x-forwarded-for","trusted":["0.0.0.0/0","::/0"]}"#]
        {
            let refused = proxies(config).client(peer.as_bytes(), b"1.2.3.4");
            assert_eq!(refused, Err(ClientAddressError::Peer), "{config} {peer:?}");
            assert_eq!(refused.unwrap_err().status(), Status::Malformed);
        }
        let by_hops = proxies(r#"{"header":"x-forwarded-for","hops":1}"#);
        assert_eq!(by_hops.client(peer.as_bytes(), b"1.2.3.4").unwrap().ip.to_string(), "1.2.3.4");
        assert_eq!(by_hops.client(peer.as_bytes(), b"unknown"), Err(ClientAddressError::Peer));
    }
}

#[test]
fn a_whole_64_is_one_bucket() {
    let buckets: BTreeSet<_> = (0..1000_u64)
        .map(|n| {
            let low = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let ip = Ipv6Addr::from_bits(0x2a00_0001_0002_0003_u128 << 64 | u128::from(low));
            client("", &ip.to_string(), "").bucket
        })
        .collect();
    assert_eq!(buckets.len(), 1);
    assert_eq!(buckets.first().unwrap().to_string(), "2a00:1:2:3::/64");
    for (prefix, bucket) in [
        (32, "2a00:1::/32"),
        (33, "2a00:1:8000::/33"),
        (48, "2a00:1:ffff::/48"),
        (127, "2a00:1:ffff:2:3:4:5:6/127"),
        (128, "2a00:1:ffff:2:3:4:5:7/128"),
    ] {
        let config = format!(r#"{{"ipv6_prefix":{prefix}}}"#);
        assert_eq!(client(&config, "2a00:1:ffff:2:3:4:5:7", "").bucket.to_string(), bucket);
        for ip in ["1.2.3.4", "::ffff:1.2.3.4"] {
            let bucket = client(&config, ip, "").bucket;
            assert_eq!(
                (bucket.to_string(), bucket.network().to_string()),
                ("1.2.3.4".into(), "1.2.3.4/32".into())
            );
        }
    }
}

#[test]
fn a_configuration_that_would_not_do_what_it_says_is_refused() {
    for (config, path) in [
        ("[]", ""),
        ("null", ""),
        ("x", ""),
        ("{} ,", ""),
        (r#"{"hops":1,"hops":1}"#, ""),
        (r#"{"headers":"forwarded"}"#, "headers"),
        (r#"{"Header":"forwarded"}"#, "Header"),
        (r#"{"header":["forwarded"]}"#, "header"),
        (r#"{"header":""}"#, "header"),
        (r#"{"header":"x-client-ip"}"#, "header"),
        (r#"{"header":"forwarded "}"#, "header"),
        (r#"{"header":"x_forwarded_for"}"#, "header"),
        (r#"{"trusted":"10.0.0.0/8"}"#, "trusted"),
        (r#"{"trusted":{}}"#, "trusted"),
        (r#"{"trusted":[1]}"#, "trusted[0]"),
        (r#"{"trusted":[null]}"#, "trusted[0]"),
        (r#"{"trusted":["10.0.0.0/8","10.0.0.1/8"]}"#, "trusted[1]"),
        (r#"{"trusted":["*"]}"#, "trusted[0]"),
        (r#"{"trusted":["::ffff:10.0.0.0/104"]}"#, "trusted[0]"),
        (r#"{"hops":"1"}"#, "hops"),
        (r#"{"hops":1.0}"#, "hops"),
        (r#"{"hops":1e0}"#, "hops"),
        (r#"{"hops":true}"#, "hops"),
        (r#"{"hops":-1}"#, "hops"),
        (r#"{"hops":256}"#, "hops"),
        (r#"{"hops":4294967297}"#, "hops"),
        (r#"{"hops":18446744073709551617}"#, "hops"),
        (r#"{"hops":1,"trusted":["10.0.0.0/8"]}"#, "hops"),
        (r#"{"trusted":["10.0.0.0/8"],"hops":1}"#, "hops"),
        (r#"{"ipv6_prefix":31}"#, "ipv6_prefix"),
        (r#"{"ipv6_prefix":129}"#, "ipv6_prefix"),
        (r#"{"ipv6_prefix":-64}"#, "ipv6_prefix"),
        (r#"{"ipv6_prefix":"64"}"#, "ipv6_prefix"),
        (r#"{"ipv6_prefix":320}"#, "ipv6_prefix"),
    ] {
        assert_eq!(refusal(config).0, path, "{config}");
        assert_eq!(Proxies::from_json(config.as_bytes()).unwrap_err().status(), Status::ConfigError);
    }
    let networks = |count| format!(r#"{{"trusted":[{}]}}"#, vec!["\"10.0.0.0/8\""; count].join(","));
    assert!(Proxies::from_json(networks(MAX_TRUSTED).as_bytes()).is_ok());
    assert_eq!(refusal(&networks(MAX_TRUSTED + 1)).0, format!("trusted[{MAX_TRUSTED}]"));
}

#[test]
fn a_configuration_is_taken_as_it_is_written() {
    for config in [
        r#"{"header":"X-Forwarded-For","trusted":["10.0.0.1","::1"],"hops":0,"ipv6_prefix":64}"#,
        r#"{"\u0068eader":"\u0058-forwarded-for","trusted":["10.0.0.0/8"]}"#,
        r#"{"header":"x-forwarded-for","trusted":["10.0.0.1/32","10.0.0.0/8","10.0.0.1"]}"#,
    ] {
        assert_eq!(found(config, PEER, "1.2.3.4"), "1.2.3.4*", "{config}");
    }
    let most = format!(r#"{{"header":"x-forwarded-for","trusted":[],"hops":{MAX_HOPS}}}"#);
    assert_eq!(found(&most, PEER, &["1.2.3.4", &",".repeat(254)].concat()), "1.2.3.4*");
}

/// The networks of the properties: small, so that addresses meet them.
const TRUSTED: [&str; 4] = ["10.0.0.0/8", "192.0.2.8/29", "2001:db8::/33", "::1"];

fn is_trusted(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            a == 10 || ([a, b, c] == [192, 0, 2] && (8..16).contains(&d))
        }
        IpAddr::V6(ip) => {
            let groups = ip.segments();
            ip == Ipv6Addr::LOCALHOST || (groups[..2] == [0x2001, 0xdb8] && groups[2] < 0x8000)
        }
    }
}

fn config(header: &str, ipv6_prefix: u8) -> String {
    format!(r#"{{"header":"{header}","trusted":{TRUSTED:?},"ipv6_prefix":{ipv6_prefix}}}"#)
}

fn address() -> impl Strategy<Value = IpAddr> {
    let near = (prop::sample::select(vec![7_u8, 8, 15, 16, 0, 255]))
        .prop_map(|d| Ipv4Addr::new(192, 0, 2, d).into());
    let v6 = |top: u16, middle: u16| Ipv6Addr::new(0x2001, top, middle, 0, 0, 0, 0, 1).into();
    prop_oneof![
        2 => any::<[u8; 3]>().prop_map(|[b, c, d]| Ipv4Addr::new(10, b, c, d).into()),
        2 => near,
        1 => any::<[u8; 4]>().prop_map(|octets| Ipv4Addr::from(octets).into()),
        2 => prop::sample::select(vec![(0xdb8, 0), (0xdb8, 0x7fff), (0xdb8, 0x8000), (0xdb9, 0)]).prop_map(move |(a, b)| v6(a, b)),
        1 => Just(Ipv6Addr::LOCALHOST.into()),
        1 => any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
    ]
    .prop_map(|ip: IpAddr| ip.to_canonical())
}

/// One of the ways of writing an address, brackets and all.
fn written(ip: IpAddr, form: u8) -> String {
    match (ip, form % 4) {
        (IpAddr::V4(ip), 0) => ip.to_string(),
        (IpAddr::V4(ip), 1) => format!("{ip}:{}", u16::from(form) * 257),
        (IpAddr::V4(ip), 2) => format!("[{}]", ip.to_ipv6_mapped()),
        (IpAddr::V4(ip), _) => format!("[::FFFF:{:x}:{:X}]:80", ip.to_bits() >> 16, ip.to_bits() & 0xffff),
        (IpAddr::V6(ip), 0) => format!("[{ip}]"),
        (IpAddr::V6(ip), 1) => format!("[{ip}%25eth{form}]:443"),
        (IpAddr::V6(ip), 2) => ip.to_string().to_uppercase(),
        (IpAddr::V6(ip), _) => ip.segments().map(|group| format!("{group:04x}")).join(":"),
    }
}

/// An entry and the address in it, if it is one.
fn entry() -> impl Strategy<Value = (Option<IpAddr>, String)> {
    let junk = prop::sample::select(vec![
        "",
        "unknown",
        "_secret",
        "1.2.3",
        "[::1",
        "010.0.0.1",
        "10.0.0.0/8",
        "\0",
    ]);
    prop_oneof![
        9 => (address(), any::<u8>()).prop_map(|(ip, form)| (Some(ip), written(ip, form))),
        1 => junk.prop_map(|junk| (None, junk.to_owned())),
    ]
}

/// An element of `Forwarded` with an entry in it.
fn element(entry: &str, form: u8) -> String {
    let node = if form & 1 == 0
        && entry.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !entry.is_empty()
    {
        entry.to_owned()
    } else {
        format!("\"{entry}\"")
    };
    let before =
        ["", "proto=https;", "by=\"[2001:db8::1]:_x\" ; ", ";host=\"a\\\\\";"][usize::from(form >> 1) % 4];
    let after =
        ["", ";x=\"\\\", for=6.6.6.6\"", " ;by=_b", ";host=\"a, b; c\\\\\""][usize::from(form >> 3) % 4];
    format!("{before}{}={node}{after}", ["for", "For", "FOR"][usize::from(form) % 3])
}

/// What the whole is: from the peer back, the first that is not trusted.
fn reference(peer: IpAddr, entries: &[Option<IpAddr>]) -> (IpAddr, bool) {
    let mut client = (peer, false);
    for entry in entries.iter().rev() {
        if !is_trusted(client.0) {
            break;
        }
        match entry {
            Some(ip) => client = (*ip, true),
            None => return (peer, false),
        }
    }
    client
}

fn reference_bucket(ip: IpAddr, ipv6_prefix: u8) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let host_bits = 128 - u32::from(ipv6_prefix);
            let network = (0..host_bits).fold(ip.to_bits(), |bits, bit| bits & !(1 << bit));
            format!("{}/{ipv6_prefix}", Ipv6Addr::from_bits(network))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn lists_lead_back_to_the_first_that_is_not_trusted(
        peer in address(),
        peer_form: u8,
        entries in prop::collection::vec((entry(), any::<u8>(), prop::sample::select(vec![",", ", ", "\n", " ,\t"])), 0..8),
        hops in 0_usize..9,
        ipv6_prefix in 32_u8..=128,
    ) {
        let addresses: Vec<_> = entries.iter().map(|((ip, _), ..)| *ip).collect();
        let joined = |write: &dyn Fn(&str, u8) -> String| {
            let mut text = String::new();
            for (index, ((_, entry), form, separator)) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { separator });
                text.push_str(&write(entry, *form));
            }
            text
        };
        let peer_text = written(peer, peer_form);
        for (header, lines) in
            [("x-forwarded-for", joined(&|entry, _| entry.to_owned())), ("forwarded", joined(&element))]
        {
            let decided = client(&config(header, ipv6_prefix), &peer_text, &lines);
            prop_assert_eq!((decided.ip, decided.from_header), reference(peer, &addresses), "{:?}", lines);
            prop_assert_eq!(decided.bucket.to_string(), reference_bucket(decided.ip, ipv6_prefix));

            let decided = client(&format!(r#"{{"header":"{header}","hops":{hops}}}"#), &peer_text, &lines);
            let counted = hops.checked_sub(1).and_then(|hop| *addresses.iter().rev().nth(hop)?);
            prop_assert_eq!((decided.ip, decided.from_header), (counted.unwrap_or(peer), counted.is_some()));
        }
    }

    /// What the proxies append after it decides, whatever the client wrote.
    #[test]
    fn nothing_that_a_client_writes_changes_what_the_proxies_saw(
        written_by_client in prop_oneof![
            any::<Vec<u8>>(),
            prop::collection::vec(prop::sample::select(b"\"\\,;=\n\r\0 for16.:[]%_".to_vec()), 0..40),
        ],
        ip in address().prop_filter("the client's own", |ip| !is_trusted(*ip)),
        form: u8,
        element_form: u8,
        hops in prop::collection::vec((address().prop_filter("a proxy's", |ip| is_trusted(*ip)), any::<u8>(), any::<u8>()), 0..4),
        separator in prop::sample::select(vec![",", ", ", "\n"]),
    ) {
        for header in ["x-forwarded-for", "forwarded"] {
            let mut lines = written_by_client.clone();
            for (ip, form, element_form) in [(ip, form, element_form)].iter().chain(&hops) {
                let entry = written(*ip, *form);
                let appended = if header == "forwarded" { element(&entry, *element_form) } else { entry };
                lines.extend(separator.bytes().chain(appended.bytes()));
            }
            let decided = proxies(&config(header, 64)).client(b"::1", &lines).unwrap();
            prop_assert_eq!((decided.ip, decided.from_header), (ip, true), "{:?}", String::from_utf8_lossy(&lines));
        }
    }

    #[test]
    fn arbitrary_bytes_are_decided_about(peer: Vec<u8>, lines: Vec<u8>, hops in 1_u8..4) {
        for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            let by_hops = proxies(&format!(r#"{{"header":"{header}","hops":{hops}}}"#));
            if let Ok(client) = by_hops.client(&peer, &lines) {
                prop_assert_eq!(client.ip, client.ip.to_canonical());
                prop_assert!(client.bucket.network().contains(client.ip));
            }
            let decided = proxies(&config(header, 64)).client(b"203.0.113.1", &lines).unwrap();
            prop_assert_eq!((decided.ip.to_string(), decided.from_header), ("203.0.113.1".to_owned(), false));
        }
    }
}
