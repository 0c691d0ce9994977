//! The states of a sandbox's copy: answers hold labels, filters need codes.

/// A state of a `SandboxProcess` (Tooling API reference, object SandboxProcess).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SandboxStatus {
    /// Waits for its turn.
    Pending,
    /// Copies.
    Processing,
    /// Chooses the records of a partial copy.
    Sampling,
    /// Copied; waits for a person to activate it.
    PendingActivation,
    /// Replaces the old sandbox, in one of several steps.
    Activating,
    /// Done.
    Completed,
    /// A refresh that is thrown away.
    Discarding,
    /// Goes away.
    Deleting,
    /// Gone.
    Deleted,
    /// Failed.
    Stopped,
    /// Paused by Salesforce.
    Suspended,
    /// Is being locked for lack of licences.
    Locking,
    /// Locked for lack of licences.
    Locked,
    /// A state that this program does not know.
    Other(String),
}

/// Label in answers, code in filters, state. Answers may say `Activating` or one of its steps.
const TABLE: &[(&str, &str, SandboxStatus)] = &[
    ("Pending", "0", SandboxStatus::Pending),
    ("Completed", "1", SandboxStatus::Completed),
    ("Processing", "2", SandboxStatus::Processing),
    ("Pending Activation", "4", SandboxStatus::PendingActivation),
    ("Activation Confirmed", "5", SandboxStatus::Activating),
    ("Deactivation Confirmed", "6", SandboxStatus::Activating),
    ("Deactivation Finished", "7", SandboxStatus::Activating),
    ("Activation Processing", "8", SandboxStatus::Activating),
    ("Activating", "", SandboxStatus::Activating),
    ("Locked", "B", SandboxStatus::Locked),
    ("Deleted", "D", SandboxStatus::Deleted),
    ("Deleting", "E", SandboxStatus::Deleting),
    ("Discarding", "F", SandboxStatus::Discarding),
    ("Stopped", "G", SandboxStatus::Stopped),
    ("Locking", "L", SandboxStatus::Locking),
    ("Suspended", "S", SandboxStatus::Suspended),
    ("Sampling", "X", SandboxStatus::Sampling),
];

impl SandboxStatus {
    /// The state with this label.
    pub fn of_label(label: &str) -> Self {
        let row = TABLE.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(label));
        row.map_or_else(|| Self::Other(label.to_owned()), |(_, _, status)| status.clone())
    }

    /// The codes that filters use for this state; none for one that is not known.
    pub fn codes(&self) -> Vec<&'static str> {
        let rows = TABLE
            .iter()
            .filter(|(_, code, status)| status == self && !code.is_empty());
        rows.map(|(_, code, _)| *code).collect()
    }

    /// Whether the row is gone or going.
    pub fn is_deleted(&self) -> bool {
        match self {
            Self::Deleting | Self::Deleted => true,
            Self::Other(label) => label.starts_with("Del"),
            _ => false,
        }
    }

    /// Whether it failed or was thrown away.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Stopped | Self::Discarding | Self::Deleting | Self::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_codes() {
        assert_eq!(SandboxStatus::of_label("Pending Activation").codes(), ["4"]);
        assert_eq!(SandboxStatus::of_label("Activating").codes(), ["5", "6", "7", "8"]);
        assert_eq!(
            SandboxStatus::of_label("Deactivation Finished"),
            SandboxStatus::Activating
        );
        assert!(SandboxStatus::of_label("Deletion Requested").is_deleted());
        assert!(SandboxStatus::of_label("New State").codes().is_empty());
        assert!(!SandboxStatus::of_label("Discarding").is_deleted());
    }
}
