//! Record ids: 15 characters, case-sensitive, with three check characters as 18.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The id number `n` of a key prefix in the pod `pod` (the org's ordinal), with check characters.
pub fn make(prefix: &str, pod: u32, n: u64) -> String {
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str(&base62(u64::from(pod), 3));
    id.push_str(&base62(n, 9));
    long(&id).unwrap_or(id)
}

/// The 18-character form of an id of either length; none if the text is no id.
pub fn long(id: &str) -> Option<String> {
    let bytes = id.as_bytes();
    if !(bytes.len() == 15 || bytes.len() == 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut long = id[..15].to_owned();
    for group in bytes[..15].chunks(5) {
        let index = group
            .iter()
            .enumerate()
            .filter(|(_, b)| b.is_ascii_uppercase())
            .fold(0, |sum, (i, _)| sum | 1 << i);
        long.push(char::from(CHECK[index]));
    }
    (bytes.len() == 15 || long.as_bytes()[15..].eq_ignore_ascii_case(&bytes[15..])).then_some(long)
}

/// The 15-character form of an id.
pub fn short(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

fn base62(mut n: u64, width: usize) -> String {
    let mut out = vec![b'0'; width];
    for place in out.iter_mut().rev() {
        *place = DIGITS[usize::try_from(n % 62).unwrap_or(0)];
        n /= 62;
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_follow_the_upper_case_letters() {
        assert_eq!(long("001000000000001").as_deref(), Some("001000000000001AAA"));
        assert_eq!(long("00D8d000000AbCd").as_deref(), Some("00D8d000000AbCdEAK"));
        assert_eq!(long("00D8d000000AbCdEAK").as_deref(), Some("00D8d000000AbCdEAK"));
        assert_eq!(long("00D8d000000AbCdAAA"), None);
        assert_eq!(long("no id"), None);
    }

    #[test]
    fn ids_are_made_in_order() {
        assert_eq!(short(&make("001", 62, 61)), "00101000000000z");
        assert!(make("001", 1, 10) < make("001", 1, 100));
    }
}
