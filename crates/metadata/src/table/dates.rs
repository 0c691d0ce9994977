//! Types whose last-modified dates in lists of an org mean nothing.

const TABLE: &str = include_str!("../../table/dates.txt");

/// Whether the dates that an org lists for components of this type cannot be trusted.
pub fn untrusted(type_name: &str) -> bool {
    // All types of settings are named so.
    type_name.ends_with("Settings")
        || TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
            .any(|name| name == type_name)
}

#[cfg(test)]
mod tests {
    use super::untrusted;

    #[test]
    fn settings_and_named_types() {
        assert!(untrusted("Settings") && untrusted("SecuritySettings") && untrusted("InstalledPackage"));
        assert!(!untrusted("ApexClass") && !untrusted("CustomObject"));
    }
}
