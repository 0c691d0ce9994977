//! The sample of the demo: the files of a small project, and what everybody changed in them.

use std::path::Path;

use super::stage::Shell;
use crate::error::{CommandError, Kind};

/// A change that one person made in one file.
#[derive(Debug)]
pub struct Edit {
    /// The file.
    pub file: &'static str,
    /// The text before, which stands there once.
    old: &'static str,
    /// The text after.
    new: &'static str,
    /// The part of the new text that is the change. Nobody else may take it away again.
    pub mark: &'static str,
}

/// One commit on one branch.
#[derive(Debug)]
pub struct Work {
    /// The branch.
    pub branch: &'static str,
    /// Who commits.
    author: &'static str,
    /// The subject of the commit.
    subject: &'static str,
    /// What is changed.
    pub edits: &'static [Edit],
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../demo/", $name)))
    };
}

const PROFILE: &str = "force-app/main/default/profiles/Sales.profile-meta.xml";
const FLOW: &str = "force-app/main/default/flows/Discount_Check.flow-meta.xml";
const RULE: &str = "force-app/main/default/objects/Opportunity/validationRules/Discount_Limit.validationRule-meta.xml";
const CLASS: &str = "force-app/main/default/classes/DiscountService.cls";
const LAYOUT: &str = "force-app/main/default/layouts/Opportunity-Opportunity Layout.layout-meta.xml";

/// The files of the first commit.
const FILES: &[(&str, &str)] = &[
    file!("sfdx-project.json"),
    file!("force-app/main/default/profiles/Sales.profile-meta.xml"),
    file!("force-app/main/default/flows/Discount_Check.flow-meta.xml"),
    file!("force-app/main/default/classes/DiscountService.cls"),
    file!("force-app/main/default/classes/DiscountService.cls-meta.xml"),
    file!("force-app/main/default/layouts/Opportunity-Opportunity Layout.layout-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/fields/Discount__c.field-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/fields/Discount_Approved__c.field-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/fields/Discount_Level__c.field-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/fields/Discount_Reason__c.field-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/fields/Risk__c.field-meta.xml"),
    file!("force-app/main/default/objects/Opportunity/validationRules/Discount_Limit.validationRule-meta.xml"),
];

/// Environments below production, from the top down.
pub const BELOW: &[&str] = &["uat", "integration", "developer"];
/// An environment that is a copy of another.
pub const COPY: (&str, &str) = ("developer-2", "developer");

/// The hotfix on production.
pub const HOTFIX: Work = Work {
    branch: "production",
    author: "Hotfix team",
    subject: "Hotfix: discounts above 20 percent need an approval",
    edits: &[
        Edit {
            file: PROFILE,
            old: "<editable>true</editable>\n        <field>Opportunity.Discount__c</field>",
            new: "<editable>false</editable>\n        <field>Opportunity.Discount__c</field>",
            mark: "<editable>false</editable>\n        <field>Opportunity.Discount__c</field>",
        },
        Edit {
            file: PROFILE,
            old: "    <custom>true</custom>\n",
            new: "    <custom>true</custom>
    <fieldPermissions>
        <editable>true</editable>
        <field>Opportunity.Discount_Approved__c</field>
        <readable>true</readable>
    </fieldPermissions>
",
            mark: "<field>Opportunity.Discount_Approved__c</field>",
        },
        Edit {
            file: FLOW,
            old: "<numberValue>30.0</numberValue>",
            new: "<numberValue>20.0</numberValue>",
            mark: "<numberValue>20.0</numberValue>",
        },
        Edit {
            file: FLOW,
            old: "            <connector>
                <targetReference>Mark_Checked</targetReference>
            </connector>
            <label>Large</label>",
            new: "            <connector>
                <targetReference>Ask_Approval</targetReference>
            </connector>
            <label>Large</label>",
            mark: "<targetReference>Ask_Approval</targetReference>",
        },
        Edit {
            file: FLOW,
            old: "    <processType>AutoLaunchedFlow</processType>\n",
            new: "    <processType>AutoLaunchedFlow</processType>
    <recordUpdates>
        <name>Ask_Approval</name>
        <label>Ask for an approval</label>
        <locationX>314</locationX>
        <locationY>384</locationY>
        <connector>
            <targetReference>Mark_Checked</targetReference>
        </connector>
        <inputAssignments>
            <field>Discount_Approved__c</field>
            <value>
                <booleanValue>false</booleanValue>
            </value>
        </inputAssignments>
        <inputReference>$Record</inputReference>
    </recordUpdates>
",
            mark: "<name>Ask_Approval</name>",
        },
        Edit {
            file: RULE,
            old: "Discount__c &gt; 0.4",
            new: "AND(Discount__c &gt; 0.2, NOT(Discount_Approved__c))",
            mark: "AND(Discount__c &gt; 0.2, NOT(Discount_Approved__c))",
        },
        Edit {
            file: CLASS,
            old: "return 40;",
            new: "return 20;",
            mark: "return 20;",
        },
        Edit {
            file: LAYOUT,
            old: "                <behavior>Edit</behavior>
                <field>Discount__c</field>
            </layoutItems>
",
            new: "                <behavior>Readonly</behavior>
                <field>Discount__c</field>
            </layoutItems>
            <layoutItems>
                <behavior>Edit</behavior>
                <field>Discount_Approved__c</field>
            </layoutItems>
",
            mark: "<behavior>Readonly</behavior>\n                <field>Discount__c</field>",
        },
        Edit {
            file: LAYOUT,
            old: "",
            new: "",
            mark: "<field>Discount_Approved__c</field>",
        },
    ],
};

/// What people of the environments did meanwhile, in the same files.
pub const WORK: &[Work] = &[
    Work {
        branch: "uat",
        author: "UAT team",
        subject: "Ask for the reason of a discount",
        edits: &[
            Edit {
                file: PROFILE,
                old: "    <custom>true</custom>\n",
                new: "    <custom>true</custom>
    <fieldPermissions>
        <editable>true</editable>
        <field>Opportunity.Discount_Reason__c</field>
        <readable>true</readable>
    </fieldPermissions>
",
                mark: "<field>Opportunity.Discount_Reason__c</field>",
            },
            Edit {
                file: FLOW,
                old: "    <processType>AutoLaunchedFlow</processType>\n",
                new: "    <processType>AutoLaunchedFlow</processType>
    <recordUpdates>
        <name>Keep_Reason</name>
        <label>Keep the reason</label>
        <locationX>182</locationX>
        <locationY>600</locationY>
        <inputAssignments>
            <field>Discount_Reason__c</field>
            <value>
                <stringValue>Not given</stringValue>
            </value>
        </inputAssignments>
        <inputReference>$Record</inputReference>
    </recordUpdates>
",
                mark: "<name>Keep_Reason</name>",
            },
            Edit {
                file: FLOW,
                old: "        <locationY>492</locationY>\n",
                new: "        <locationY>492</locationY>
        <connector>
            <targetReference>Keep_Reason</targetReference>
        </connector>
",
                mark: "<targetReference>Keep_Reason</targetReference>",
            },
            Edit {
                file: RULE,
                old: "Nobody gives more than 40 percent away.",
                new: "The limit of a discount. The reason is asked for in the flow.",
                mark: "The reason is asked for in the flow.",
            },
            Edit {
                file: CLASS,
                old: "return 'Large discount';",
                new: "return opportunity.Discount_Reason__c;",
                mark: "return opportunity.Discount_Reason__c;",
            },
            Edit {
                file: LAYOUT,
                old: "                <field>Discount__c</field>
            </layoutItems>
",
                new: "                <field>Discount__c</field>
            </layoutItems>
            <layoutItems>
                <behavior>Required</behavior>
                <field>Discount_Reason__c</field>
            </layoutItems>
",
                mark: "<field>Discount_Reason__c</field>",
            },
        ],
    },
    Work {
        branch: "integration",
        author: "Integration team",
        subject: "Show the level of a discount",
        edits: &[
            Edit {
                file: PROFILE,
                old: "    <custom>true</custom>\n",
                new: "    <custom>true</custom>
    <fieldPermissions>
        <editable>false</editable>
        <field>Opportunity.Discount_Level__c</field>
        <readable>true</readable>
    </fieldPermissions>
",
                mark: "<field>Opportunity.Discount_Level__c</field>",
            },
            Edit {
                file: FLOW,
                old: "    <processType>AutoLaunchedFlow</processType>\n",
                new: "    <processType>AutoLaunchedFlow</processType>
    <recordUpdates>
        <name>Fill_Level</name>
        <label>Fill in the level</label>
        <locationX>182</locationX>
        <locationY>600</locationY>
        <inputAssignments>
            <field>Discount_Level__c</field>
            <value>
                <numberValue>1.0</numberValue>
            </value>
        </inputAssignments>
        <inputReference>$Record</inputReference>
    </recordUpdates>
",
                mark: "<name>Fill_Level</name>",
            },
            Edit {
                file: FLOW,
                old: "        <locationY>492</locationY>\n",
                new: "        <locationY>492</locationY>
        <connector>
            <targetReference>Fill_Level</targetReference>
        </connector>
",
                mark: "<targetReference>Fill_Level</targetReference>",
            },
            Edit {
                file: RULE,
                old: "Nobody gives more than 40 percent away.",
                new: "The limit of a discount, whatever its level.",
                mark: "whatever its level.",
            },
            Edit {
                file: LAYOUT,
                old: "                <field>Discount__c</field>
            </layoutItems>
",
                new: "                <field>Discount__c</field>
            </layoutItems>
            <layoutItems>
                <behavior>Readonly</behavior>
                <field>Discount_Level__c</field>
            </layoutItems>
",
                mark: "<field>Discount_Level__c</field>",
            },
        ],
    },
    Work {
        branch: "developer",
        author: "Developer",
        subject: "Try 25 percent as the limit of the flow",
        edits: &[
            Edit {
                file: FLOW,
                old: "<numberValue>30.0</numberValue>",
                new: "<numberValue>25.0</numberValue>",
                mark: CONTESTED,
            },
            Edit {
                file: FLOW,
                old: "<stringValue>Discount checked</stringValue>",
                new: "<stringValue>Discount checked by the flow</stringValue>",
                mark: "<stringValue>Discount checked by the flow</stringValue>",
            },
            Edit {
                file: PROFILE,
                old: "<editable>false</editable>\n        <field>Opportunity.Risk__c</field>",
                new: "<editable>true</editable>\n        <field>Opportunity.Risk__c</field>",
                mark: "<editable>true</editable>\n        <field>Opportunity.Risk__c</field>",
            },
            Edit {
                file: CLASS,
                old: "return 'Large discount';",
                new: "return 'Discount above the limit';",
                mark: "return 'Discount above the limit';",
            },
        ],
    },
];

/// The one change that contradicts the hotfix. Taking the hotfix's side replaces it knowingly.
pub const CONTESTED: &str = "<numberValue>25.0</numberValue>";

/// Creates the repository in an empty folder: production checked out, a branch for each environment.
pub fn create(shell: &Shell) -> Result<(), CommandError> {
    let folder = shell.folder();
    shell.git(&["init", "--quiet", "--initial-branch=production"])?;
    for (key, value) in [
        ("user.name", "Demo user"),
        ("user.email", "demo@example.com"),
        ("commit.gpgSign", "false"),
        ("core.autocrlf", "false"),
    ] {
        shell.git(&["config", key, value])?;
    }
    for (name, text) in FILES {
        write(&folder.join(name), text)?;
    }
    shell.commit("Release team", "First release", 0)?;
    for branch in BELOW {
        shell.git(&["branch", branch])?;
    }
    shell.git(&["branch", COPY.0])
}

/// Everybody's work, each on its branch. `production` is checked out before and after.
pub fn work(shell: &Shell) -> Result<(), CommandError> {
    for (day, work) in (2..).zip([&HOTFIX].into_iter().chain(WORK)) {
        shell.git(&["switch", "--quiet", work.branch])?;
        for edit in work.edits {
            apply(shell.folder(), edit)?;
        }
        shell.commit(work.author, work.subject, day)?;
    }
    shell.git(&["branch", "--force", COPY.0, COPY.1])?;
    shell.git(&["switch", "--quiet", HOTFIX.branch])
}

fn apply(folder: &Path, edit: &Edit) -> Result<(), CommandError> {
    if edit.old.is_empty() {
        return Ok(());
    }
    let path = folder.join(edit.file);
    let text = std::fs::read_to_string(&path).map_err(|error| unusable(&path, error))?;
    write(&path, &text.replacen(edit.old, edit.new, 1))
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    let parent = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    parent
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: std::io::Error) -> CommandError {
    let message = format!("could not create the sample: {}", path.display());
    CommandError::new(Kind::User, "demo.sample", message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_finds_its_place_once_and_leaves_its_mark() {
        for work in [&HOTFIX].into_iter().chain(WORK) {
            let mut files: std::collections::BTreeMap<&str, String> =
                FILES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
            for edit in work.edits {
                let text = files.get_mut(edit.file).expect("a file of the sample");
                if !edit.old.is_empty() {
                    assert_eq!(text.matches(edit.old).count(), 1, "{edit:?}");
                    *text = text.replacen(edit.old, edit.new, 1);
                }
            }
            for edit in work.edits {
                let before = FILES.iter().find(|(name, _)| *name == edit.file).expect("a file").1;
                assert!(!before.contains(edit.mark), "{edit:?}");
                assert!(files[edit.file].contains(edit.mark), "{edit:?}");
            }
        }
    }
}
