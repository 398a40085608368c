//! Mail addresses, alone and in user ids. Hosts and paths are made of them.

use countersign_wkd::{Address, Method};

/// Any octets, as an address and as a user id: what is accepted has a host and a path of one shape, which no octet of the input
/// leads out of; what is printed parses to the same address; and a user id made of it matches it.
///
/// # Panics
/// Where that does not hold.
pub fn address(data: &[u8]) {
    if let Some(address) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        in_shape(&address);
    }
    if let Ok(address) = Address::from_user_id(data) {
        assert!(address.matches(data));
        in_shape(&address);
    }
}

fn in_shape(address: &Address) {
    let (hash, domain) = (address.hash(), address.domain().as_str());
    assert_eq!(hash.len(), 32);
    assert!(
        hash.bytes()
            .all(|own| b"ybndrfg8ejkmcpqxot1uwisza345h769".contains(&own))
    );
    let plain = |own: u8| matches!(own, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(plain);
    assert!(domain.split('.').all(label), "{domain}");
    for (method, host, path) in [
        (
            Method::Advanced,
            format!("openpgpkey.{domain}"),
            format!(".well-known/openpgpkey/{domain}/hu/{hash}"),
        ),
        (
            Method::Direct,
            domain.to_owned(),
            format!(".well-known/openpgpkey/hu/{hash}"),
        ),
    ] {
        assert!(host.len() <= 253);
        assert_eq!(
            (address.host(method), address.relative_path(method)),
            (host.clone(), path.clone())
        );
        let url = address.url(method);
        let query = url.strip_prefix(&format!("https://{host}/{path}?l="));
        let query = query.expect("a URL of host, path and local part");
        let kept = |own: u8| own.is_ascii_alphanumeric() || b"-._~%".contains(&own);
        assert!(query.bytes().all(kept), "{query}");
    }
    if let Some(unicode) = address.domain().to_unicode() {
        assert!(!unicode.contains("..") && !unicode.contains(['/', '\\', '\0']));
        assert_eq!(unicode.parse().as_ref(), Ok(address.domain()));
    }
    let printed = address.to_string();
    assert!(address.matches(&printed) && address.matches(format!("Name <{printed}>")));
    if printed.len() <= countersign_wkd::limits::ADDRESS_BYTES {
        assert_eq!(printed.parse().as_ref(), Ok(address));
    }
}
