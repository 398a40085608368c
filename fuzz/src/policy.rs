//! Policy files. They are kept as they are; what is read of them is for messages and clients.

use countersign_wkd::PolicyFile;

/// Any octets: keywords are in lower case, plain and there once; what is printed from them parses to the same.
///
/// # Panics
/// Where that does not hold.
pub fn policy(data: &[u8]) {
    let Ok(policy) = PolicyFile::from_bytes(data) else {
        return;
    };
    let mut printed = String::new();
    for (keyword, value) in policy.entries() {
        let plain = |own: u8| matches!(own, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        assert!(
            !keyword.is_empty() && keyword.bytes().all(plain),
            "{keyword}"
        );
        assert_eq!(
            policy.entries().filter(|(own, _)| *own == keyword).count(),
            1
        );
        match value {
            Some(value) => printed += &format!("{keyword}: {value}\n"),
            None => printed += &format!("{keyword}\n"),
        }
    }
    assert_eq!(
        PolicyFile::from_bytes(printed.as_bytes()).as_ref(),
        Ok(&policy)
    );
    let _ = policy.submission_address();
}
