//! Statuses of a SandboxProcess: answers carry labels, filters carry codes of one character.

/// Label and filter code.
const CODES: &[(&str, &str)] = &[
    ("Pending", "0"),
    ("Completed", "1"),
    ("Processing", "2"),
    ("Pending Activation", "4"),
    ("Activation Confirmed", "5"),
    ("Deactivation Confirmed", "6"),
    ("Deactivation Finished", "7"),
    ("Activating", "8"),
    ("Activation Processing", "8"),
    ("Locked", "B"),
    ("Locking", "L"),
    ("Deleted", "D"),
    ("Deleting", "E"),
    ("Discarding", "F"),
    ("Stopped", "G"),
    ("Suspended", "S"),
    ("Sampling", "X"),
];

/// The labels while a sandbox activates, in order, where they are told apart.
pub(crate) const ACTIVATING: [&str; 4] = [
    "Activation Confirmed",
    "Deactivation Confirmed",
    "Deactivation Finished",
    "Activation Processing",
];

/// The label that is stored, for a code in a filter; none for anything else, so that a label finds nothing.
pub(crate) fn stored(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(_, c)| *c == code).map(|(label, _)| *label)
}

/// Whether the process is over because its copy is gone or going.
pub(crate) fn is_deleted(label: &str) -> bool {
    label.starts_with("Del") || label == "Discarding"
}

/// Whether the process still works.
pub(crate) fn is_running(label: &str) -> bool {
    ["Pending", "Processing", "Sampling", "Activating"].contains(&label) || ACTIVATING.contains(&label)
}
