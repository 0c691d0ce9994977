//! Paths and the components they belong to.

use syncline_metadata::component::{Format, Located, Project, Role};

/// `Type:Name [< Parent] format role`, or the kind of the other answers.
fn show(located: &Located) -> String {
    match located {
        Located::Component(file) => {
            let parent = file
                .parent
                .as_ref()
                .map(|parent| format!(" < {parent}"))
                .unwrap_or_default();
            let format = match file.format {
                Format::Source => "source",
                Format::MetadataApi => "mdapi",
            };
            let role = match file.role {
                Role::Whole => "whole".to_owned(),
                Role::Part { child_type } => format!("part {child_type}"),
                Role::Content => "content".to_owned(),
                Role::Descriptor => "descriptor".to_owned(),
                Role::BundleMember => "member".to_owned(),
            };
            format!("{}{parent} {format} {role}", file.id)
        }
        Located::NotMetadata(reason) => format!("not metadata: {reason:?}"),
        Located::Ignored(rule) => format!("ignored: {}", rule.pattern),
        Located::Unknown(unknown) => format!("unknown: {unknown}"),
    }
}

fn check_all(project: &Project, cases: &[(&str, &str)]) {
    for (path, expect) in cases {
        assert_eq!(show(&project.locate(path)), *expect, "{path}");
    }
}

fn sfdx(options: &str) -> Project {
    let text = format!(
        r#"{{"packageDirectories":[{{"path":"force-app","default":true}},{{"path":"force-app/nested/"}},{{"path":"./src"}}],
            "sourceApiVersion":"67.0","sourceBehaviorOptions":[{options}]}}"#
    );
    Project::parse("", &text, Some("**/profiles/Skip.*\n")).expect("valid project")
}

#[test]
fn source_format() {
    check_all(
        &sfdx(""),
        &[
            ("force-app/main/default/classes/A.cls", "ApexClass:A source content"),
            (
                "force-app/main/default/classes/A.cls-meta.xml",
                "ApexClass:A source descriptor",
            ),
            ("force-app/feature/deep/A.cls", "ApexClass:A source content"),
            (
                "force-app/main/default/profiles/Admin.profile-meta.xml",
                "Profile:Admin source whole",
            ),
            (
                "force-app/main/default/profiles/Admin.profile",
                "Profile:Admin mdapi whole",
            ),
            (
                "force-app/main/default/layouts/Account-My %28x%29.layout-meta.xml",
                "Layout:Account-My (x) source whole",
            ),
            (
                "force-app/main/default/layouts/Account-100%.layout-meta.xml",
                "Layout:Account-100% source whole",
            ),
            (
                "force-app/main/default/objects/A__c/A__c.object-meta.xml",
                "CustomObject:A__c source whole",
            ),
            (
                "force-app/main/default/objects/A__c/fields/B__c.field-meta.xml",
                "CustomField:A__c.B__c < CustomObject:A__c source whole",
            ),
            (
                "force-app/main/default/objects/A__c/indexes/I.indexe-meta.xml",
                "Index:A__c.I < CustomObject:A__c source whole",
            ),
            (
                "force-app/main/default/objects/A__c/webLinks/Go.webLink-meta.xml",
                "WebLink:A__c.Go < CustomObject:A__c source whole",
            ),
            (
                "force-app/main/default/objects/A__c/L.layout-meta.xml",
                "Layout:L source whole",
            ),
            (
                "force-app/main/default/objectTranslations/A__c-de/A__c-de.objectTranslation-meta.xml",
                "CustomObjectTranslation:A__c-de source whole",
            ),
            (
                "force-app/main/default/objectTranslations/A__c-de/B__c.fieldTranslation-meta.xml",
                "CustomObjectTranslation:A__c-de source part CustomFieldTranslation",
            ),
            (
                "force-app/main/default/bots/Bob/Bob.bot-meta.xml",
                "Bot:Bob source whole",
            ),
            (
                "force-app/main/default/bots/Bob/v1.botVersion-meta.xml",
                "BotVersion:Bob.v1 < Bot:Bob source whole",
            ),
            (
                "force-app/main/default/labels/CustomLabels.labels-meta.xml",
                "CustomLabels:CustomLabels source whole",
            ),
            (
                "force-app/main/default/labels/Other.labels-meta.xml",
                "CustomLabels:CustomLabels source whole",
            ),
            (
                "force-app/main/default/labels/L.label-meta.xml",
                "unknown: a CustomLabel has a file of its own only when sfdx-project.json names `decomposeCustomLabelsBeta` in sourceBehaviorOptions",
            ),
            (
                "force-app/main/default/lwc/foo/foo.js",
                "LightningComponentBundle:foo source member",
            ),
            (
                "force-app/main/default/lwc/foo/foo.js-meta.xml",
                "LightningComponentBundle:foo source descriptor",
            ),
            (
                "force-app/main/default/lwc/group/lwc/foo/deep/foo.css",
                "LightningComponentBundle:foo source member",
            ),
            (
                "force-app/main/default/lwc/foo/__tests__/foo.test.js",
                "not metadata: Test",
            ),
            (
                "force-app/main/default/lwc/jsconfig.json",
                "not metadata: ToolConfiguration",
            ),
            (
                "force-app/main/default/lwc/stray.js",
                "unknown: each LightningComponentBundle needs a folder of its own",
            ),
            ("force-app/main/default/lwc/.eslintrc.json", "ignored: **/.*"),
            (
                "force-app/main/default/aura/Foo/Foo.cmp-meta.xml",
                "AuraDefinitionBundle:Foo source descriptor",
            ),
            (
                "force-app/main/default/staticresources/Zip/package.xml",
                "StaticResource:Zip source member",
            ),
            (
                "force-app/main/default/staticresources/Zip/lwc/x/__tests__/a.js",
                "StaticResource:Zip source member",
            ),
            (
                "force-app/main/default/staticresources/Zip.resource-meta.xml",
                "StaticResource:Zip source descriptor",
            ),
            (
                "force-app/main/default/staticresources/logo.png",
                "StaticResource:logo source content",
            ),
            (
                "force-app/main/default/experiences/site1.site-meta.xml",
                "ExperienceBundle:site1 source descriptor",
            ),
            (
                "force-app/main/default/experiences/site1/views/home.json",
                "ExperienceBundle:site1 source member",
            ),
            (
                "force-app/main/default/sites/S.site-meta.xml",
                "CustomSite:S source whole",
            ),
            (
                "force-app/main/default/siteDotComSites/S.site",
                "SiteDotCom:S source content",
            ),
            (
                "force-app/main/default/digitalExperiences/site/S1/S1.digitalExperience-meta.xml",
                "DigitalExperienceBundle:site/S1 source descriptor",
            ),
            (
                "force-app/main/default/digitalExperiences/site/S1/sfdc_cms__view/start/_meta.json",
                "DigitalExperience:site/S1.sfdc_cms__view/start < DigitalExperienceBundle:site/S1 source descriptor",
            ),
            (
                "force-app/main/default/digitalExperiences/site/S1/sfdc_cms__view/start/mobile/m.json",
                "DigitalExperience:site/S1.sfdc_cms__view/start < DigitalExperienceBundle:site/S1 source member",
            ),
            (
                "force-app/main/default/digitalExperiences/site/S1/stray.json",
                "unknown: each DigitalExperienceBundle needs a folder of its own",
            ),
            (
                "force-app/main/default/uiBundles/app/app.uibundle-meta.xml",
                "UIBundle:app source descriptor",
            ),
            (
                "force-app/main/default/uiBundles/app/src/index.html",
                "UIBundle:app source member",
            ),
            (
                "force-app/main/default/lightningTypes/T/schema.json",
                "LightningTypeBundle:T source descriptor",
            ),
            (
                "force-app/main/default/reports/F.reportFolder-meta.xml",
                "ReportFolder:F source whole",
            ),
            (
                "force-app/main/default/reports/F/G.reportFolder-meta.xml",
                "ReportFolder:F/G source whole",
            ),
            (
                "force-app/main/default/reports/F/G/R.report-meta.xml",
                "Report:F/G/R source whole",
            ),
            (
                "force-app/main/default/dashboards/F/D.dashboard-meta.xml",
                "Dashboard:F/D source whole",
            ),
            (
                "force-app/main/default/email/F.emailFolder-meta.xml",
                "EmailFolder:F source whole",
            ),
            (
                "force-app/main/default/email/F.emailTemplateFolder-meta.xml",
                "EmailFolder:F source whole",
            ),
            (
                "force-app/main/default/email/unfiled$public/T.email",
                "EmailTemplate:unfiled$public/T source content",
            ),
            (
                "force-app/main/default/email/unfiled$public/T.email-meta.xml",
                "EmailTemplate:unfiled$public/T source descriptor",
            ),
            (
                "force-app/main/default/documents/F/logo.png",
                "Document:F/logo source content",
            ),
            (
                "force-app/main/default/documents/F/logo.document-meta.xml",
                "Document:F/logo source descriptor",
            ),
            (
                "force-app/main/default/documents/F.documentFolder-meta.xml",
                "DocumentFolder:F source whole",
            ),
            (
                "force-app/main/default/documents/logo.png",
                "unknown: each Document needs a folder of its own",
            ),
            (
                "force-app/main/default/settings/Account.settings-meta.xml",
                "Settings:Account source whole",
            ),
            (
                "force-app/main/default/ActionableEventOrchDefSettings/X.settings-meta.xml",
                "ActionableEventOrchDef:X source whole",
            ),
            (
                "force-app/main/default/customMetadata/T.R.md-meta.xml",
                "CustomMetadata:T.R source whole",
            ),
            (
                "force-app/main/default/customMetadata/T.R.md",
                "CustomMetadata:T.R mdapi whole",
            ),
            (
                "force-app/main/default/customMetadata/README.md",
                "not metadata: Documentation",
            ),
            ("force-app/README.md", "not metadata: Documentation"),
            (
                "force-app/main/default/emailservices/S.xml-meta.xml",
                "EmailServicesFunction:S source whole",
            ),
            (
                "force-app/main/default/emailservices/S.xml",
                "EmailServicesFunction:S mdapi whole",
            ),
            (
                "force-app/main/default/stray.xml",
                "unknown: no metadata type has the suffix `xml`",
            ),
            ("force-app/main/default/package.xml", "not metadata: Manifest"),
            (
                "force-app/main/default/territory2Models/M/M.territory2Model-meta.xml",
                "Territory2Model:M source whole",
            ),
            (
                "force-app/main/default/territory2Models/M/rules/R.territory2Rule-meta.xml",
                "Territory2Rule:M.R source whole",
            ),
            (
                "force-app/main/default/territory2Models/M/territories/T.territory2-meta.xml",
                "Territory2:M.T source whole",
            ),
            (
                "force-app/main/default/standardValueSetTranslations/Industry-de.standardValueSetTranslation-meta.xml",
                "StandardValueSetTranslation:Industry-de source whole",
            ),
            (
                "force-app/main/default/workflows/Account.workflow-meta.xml",
                "Workflow:Account source whole",
            ),
            (
                "force-app/main/default/workflows/Account/workflowAlerts/A.workflowAlert-meta.xml",
                "unknown: a WorkflowAlert has a file of its own only when sfdx-project.json names `decomposeWorkflowBeta` in sourceBehaviorOptions",
            ),
            (
                "force-app/main/default/permissionsets/P/classAccesses/A.classAccess-meta.xml",
                "unknown: a ClassAccess has a file of its own only when sfdx-project.json names `decomposePermissionSetBeta` in sourceBehaviorOptions",
            ),
            (
                "force-app/main/default/classes/notes.txt",
                "unknown: no metadata type has the suffix `txt`",
            ),
            (
                "force-app/main/default/x/Foo.bot-meta.xml",
                "unknown: a Bot must lie in a folder `bots`",
            ),
            (
                "force-app/main/default/fields/B__c.field-meta.xml",
                "unknown: no metadata type has the suffix `field`",
            ),
            (
                "force-app/main/default/profiles/Skip.profile-meta.xml",
                "ignored: **/profiles/Skip.*",
            ),
            ("force-app/main/default/wave/D.wdash", "WaveDashboard:D source content"),
            (
                "force-app/main/default/connectedApps/A.connectedApp-meta.xml",
                "ConnectedApp:A source whole",
            ),
            (
                "force-app/../force-app/classes/A.cls",
                "not metadata: OutsidePackageDirectories",
            ),
            (
                "force-app/other/x.classAccess-meta.xml",
                "unknown: no metadata type has the suffix `classAccess`",
            ),
            (
                "config/project-scratch-def.json",
                "not metadata: OutsidePackageDirectories",
            ),
        ],
    );
}

#[test]
fn metadata_api_format() {
    check_all(
        &Project::metadata_api(["src"], None),
        &[
            ("src/package.xml", "not metadata: Manifest"),
            ("src/destructiveChangesPost.xml", "not metadata: Manifest"),
            ("src/objects/Account.object", "CustomObject:Account mdapi whole"),
            (
                "src/objects/sub/Account.object",
                "unknown: a CustomObject must lie in a folder `objects`",
            ),
            (
                "src/objectTranslations/Account-de.objectTranslation",
                "CustomObjectTranslation:Account-de mdapi whole",
            ),
            ("src/bots/Bob.bot", "Bot:Bob mdapi whole"),
            ("src/classes/A.cls", "ApexClass:A mdapi content"),
            ("src/classes/A.cls-meta.xml", "ApexClass:A mdapi descriptor"),
            ("src/profiles/Admin.profile", "Profile:Admin mdapi whole"),
            (
                "src/other/Admin.profile",
                "unknown: a Profile must lie in a folder `profiles`",
            ),
            ("src/reports/F-meta.xml", "ReportFolder:F mdapi whole"),
            ("src/reports/F/G-meta.xml", "ReportFolder:F/G mdapi whole"),
            ("src/reports/F/R.report", "Report:F/R mdapi whole"),
            ("src/documents/F-meta.xml", "DocumentFolder:F mdapi whole"),
            ("src/documents/F/logo.png", "Document:F/logo mdapi content"),
            ("src/documents/F/logo.png-meta.xml", "Document:F/logo mdapi descriptor"),
            ("src/email/F-meta.xml", "EmailFolder:F mdapi whole"),
            ("src/email/F/T.email", "EmailTemplate:F/T mdapi content"),
            ("src/staticresources/A.resource", "StaticResource:A mdapi content"),
            (
                "src/staticresources/A.resource-meta.xml",
                "StaticResource:A mdapi descriptor",
            ),
            ("src/lwc/foo/foo.js", "LightningComponentBundle:foo mdapi member"),
            (
                "src/territory2Models/M/M.territory2Model",
                "Territory2Model:M mdapi whole",
            ),
            (
                "src/territory2Models/M/rules/R.territory2Rule",
                "Territory2Rule:M.R mdapi whole",
            ),
            (
                "src/labels/CustomLabels.labels",
                "CustomLabels:CustomLabels mdapi whole",
            ),
            ("src/settings/Account.settings", "Settings:Account mdapi whole"),
            ("docs/objects/Account.object", "not metadata: OutsidePackageDirectories"),
        ],
    );
}

#[test]
fn presets() {
    check_all(
        &sfdx(r#""decomposeCustomLabelsBeta2""#),
        &[
            ("force-app/labels/L.label-meta.xml", "CustomLabel:L source whole"),
            (
                "force-app/labels/CustomLabels.labels-meta.xml",
                "CustomLabels:CustomLabels source whole",
            ),
        ],
    );
    check_all(
        &sfdx(r#""decomposeCustomLabelsBeta""#),
        &[
            (
                "force-app/labels/CustomLabels/L.label-meta.xml",
                "CustomLabel:L < CustomLabels:CustomLabels source whole",
            ),
            (
                "force-app/labels/CustomLabels/CustomLabels.labels-meta.xml",
                "CustomLabels:CustomLabels source whole",
            ),
        ],
    );
    check_all(
        &sfdx(r#""decomposePermissionSetBeta""#),
        &[
            (
                "force-app/permissionsets/P/P.permissionset-meta.xml",
                "PermissionSet:P source whole",
            ),
            (
                "force-app/permissionsets/P/classAccesses/A.classAccess-meta.xml",
                "PermissionSet:P source part ClassAccess",
            ),
            (
                "force-app/permissionsets/P/fieldPermissions/A.B.fieldPermission-meta.xml",
                "PermissionSet:P source part FieldPermission",
            ),
        ],
    );
    check_all(
        &sfdx(r#""decomposePermissionSetBeta2""#),
        &[
            (
                "force-app/permissionsets/P/P.classAccess-meta.xml",
                "PermissionSet:P source part ClassAccess",
            ),
            (
                "force-app/permissionsets/P/P.customPermissions-meta.xml",
                "PermissionSet:P source part CustomPermissions",
            ),
            (
                "force-app/permissionsets/P/objectSettings/Account.objectSettings-meta.xml",
                "PermissionSet:P source part ObjectSettings",
            ),
        ],
    );
    check_all(
        &sfdx(r#""decomposeSharingRulesBeta","decomposeWorkflowBeta","decomposeExternalServiceRegistrationBeta""#),
        &[
            (
                "force-app/sharingRules/A/A.sharingRules-meta.xml",
                "SharingRules:A source whole",
            ),
            (
                "force-app/sharingRules/A/sharingOwnerRules/R.sharingOwnerRule-meta.xml",
                "SharingOwnerRule:A.R < SharingRules:A source whole",
            ),
            ("force-app/workflows/A/A.workflow-meta.xml", "Workflow:A source whole"),
            (
                "force-app/workflows/A/workflowAlerts/M.workflowAlert-meta.xml",
                "WorkflowAlert:A.M < Workflow:A source whole",
            ),
            (
                "force-app/externalServiceRegistrations/E.externalServiceRegistration-meta.xml",
                "ExternalServiceRegistration:E source whole",
            ),
            (
                "force-app/externalServiceRegistrations/E.yaml",
                "ExternalServiceRegistration:E source content",
            ),
            (
                "force-app/other/E.yaml",
                "unknown: no metadata type has the suffix `yaml`",
            ),
        ],
    );
}

#[test]
fn package_directories() {
    let project = sfdx("");
    let index = |path: &str| project.locate(path).component().map(|file| file.package_dir);
    assert_eq!(index("force-app/classes/A.cls"), Some(0));
    assert_eq!(index("force-app/nested/classes/A.cls"), Some(1));
    assert_eq!(index("force-app/nestedx/classes/A.cls"), Some(0));
    assert_eq!(index("src/classes/A.cls"), Some(2));
    assert_eq!(project.default_directory(), Some(0));
    assert_eq!(project.api_version(), Some("67.0"));

    let inner =
        r#"{"packageDirectories":[{"path":"."},{"path":"x/objects"}],"registryCustomizations":{"types":{"foo":{}}}}"#;
    let inner = Project::parse("apps/one/", inner, Some("/skip/")).expect("valid project");
    check_all(
        &inner,
        &[
            ("apps/one/x/objects/A/A.object-meta.xml", "CustomObject:A source whole"),
            ("apps/one/skip/classes/A.cls", "ignored: /skip/"),
            ("apps/two/classes/A.cls", "not metadata: OutsidePackageDirectories"),
        ],
    );
    assert_eq!(inner.unsupported_customizations(), ["foo".into()]);
}

#[test]
fn detected() {
    let check = |paths: &[&str], expect: &[(&str, Format)]| {
        let project = Project::detect(paths.iter().copied(), None);
        let found: Vec<_> = (project.package_directories().iter())
            .map(|directory| (&*directory.path, directory.format))
            .collect();
        assert_eq!(found, expect, "{paths:?}");
    };
    check(
        &["src/package.xml", "src/objects/A.object", "src/classes/A.cls"],
        &[("src", Format::MetadataApi)],
    );
    check(&["objects/A.object", "README.md"], &[("", Format::MetadataApi)]);
    check(
        &["force-app/main/default/objects/A/A.object-meta.xml"],
        &[("force-app/main/default", Format::Source)],
    );
    check(&["docs/reports/summary.pdf", "app/classes/Foo.java"], &[]);
    check(&[".git/classes/A.cls"], &[]);
}

#[test]
fn bad_projects() {
    let check = |text: &str, expect: &str| {
        let error = Project::parse("", text, None).expect_err(text);
        assert_eq!(error.to_string(), expect);
    };
    check(
        "{",
        "sfdx-project.json line 1: EOF while parsing an object at line 1 column 1",
    );
    check(
        "{}",
        r#"sfdx-project.json: `packageDirectories` names no `path`; add `"packageDirectories": [{"path": "force-app", "default": true}]`"#,
    );
    check(
        r#"{"packageDirectories":[{"path":"x"},{"default":true}]}"#,
        "sfdx-project.json: entry 2 of `packageDirectories` has no `path`; add one or remove the entry",
    );
    check(
        r#"{"packageDirectories":[{"path":"../x"}]}"#,
        "sfdx-project.json: the package directory `../x` lies outside the project; name a folder inside it",
    );
    check(
        r#"{"packageDirectories":[{"path":"x"}],"sourceBehaviorOptions":["nope"]}"#,
        "sfdx-project.json: unknown value `nope` in `sourceBehaviorOptions`; known are decomposeCustomLabelsBeta, \
         decomposeCustomLabelsBeta2, decomposeExternalServiceRegistrationBeta, decomposePermissionSetBeta, \
         decomposePermissionSetBeta2, decomposeSharingRulesBeta, decomposeWorkflowBeta",
    );
}

mod any_path {
    use proptest::prelude::*;

    use super::sfdx;

    proptest! {
        /// Hostile names are answered, not crashed on, and twice alike.
        #[test]
        fn is_answered(parts in prop::collection::vec("[a-z%./$ é-]{0,6}|objects|lwc|reports|documents|digitalExperiences|labels|territory2Models|rules|staticresources", 0..6), end in "(x)?(\\.[a-z]{1,3})?(\\.object|\\.field|\\.cls|\\.md|\\.xml|\\.territory2Rule)?(-meta\\.xml)?") {
            let project = sfdx("\"decomposeCustomLabelsBeta\",\"decomposeExternalServiceRegistrationBeta\"");
            let path = format!("force-app/{}/{end}", parts.join("/"));
            prop_assert_eq!(project.locate(&path), project.locate(&path));
        }
    }
}
