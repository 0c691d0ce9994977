//! The types that Apex code names where nothing else can stand: an org without them does not compile it.

use std::ops::Range;
use syncline_metadata::references::code_names;

/// Namespaces and types of the platform. Source: Apex Reference Guide, and the namespace `System`, which needs not be named.
const PLATFORM: &str = "
    ApexPages AppLauncher Approval Auth BatchApexErrorEvent Cache Canvas ChatterAnswers CommerceBuyGrp CommerceExtension CommerceOrders
    CommercePayments CommerceTax Compression ConnectApi ConnectApi Context DataSource DataWeave Database Datacloud Dom EventBus
    ExternalService Flow FlowTesting FormulaEval Functions Invocable IsvPartners KbManagement LxScheduler Messaging Metadata PlaceQuote
    Pref_Center Process ProductCatalog QuickAction Reports RevSignaling RichMessaging Schema Search Sfc Sfdc_Checkout Sfdc_Enablement Site
    Slack Support System TerritoryMgmt TxnSecurity UserProvisioning VisualEditor Wave
    AccessLevel AccessType Address Answers Assert AsyncException AsyncInfo AsyncOptions Blob Boolean BusinessHours CalloutException Callable
    Cases Collator Comparable Comparator Continuation Cookie Crypto Currency Date Datetime Decimal DmlException Domain DomainCreator
    DomainParser DomainType Double EmailException EncodingUtil EventBus Exception ExternalObjectException FeatureManagement FinalException
    Finalizer FinalizerContext FlexQueue FormulaRecalcFieldError FormulaRecalcResult Formula HandledException Http HttpCalloutMock
    HttpRequest HttpResponse Id Ideas InstallContext InstallHandler Integer InvalidParameterValueException Iterable Iterator JSON
    JSONException JSONGenerator JSONParser JSONToken Label LimitException Limits List ListException Location LoggingLevel Long Map Matcher
    MathException Math MultiStaticResourceCalloutMock Network NoAccessException NoDataFoundException NoSuchElementException
    NullPointerException Object OrgLimit OrgLimits Package PackageVersion PageReference ParentJobResult Pattern Process.Plugin
    ProcedureException QueryException Queueable QueueableContext QueueableDuplicateSignature Quiddity QuickAction Request RequestContext
    RequiredFeatureMissingException ResetPasswordResult RestContext RestRequest RestResponse SandboxContext SandboxPostCopy Schedulable
    SchedulableContext SearchException Security SecurityException SelectOption SerializationException Set SObject SObjectAccessDecision
    SObjectException SObjectField SObjectType StaticResourceCalloutMock String StringException StubProvider Test Time TimeZone Trigger
    TriggerOperation Type TypeException UnexpectedException URL UserInfo UserManagement UUID Version VisualforceException
    WebServiceCallout WebServiceMock XmlException XmlStreamReader XmlStreamWriter AggregateResult Page
";

/// A type that code needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needed<'t> {
    /// Its name; the outer one of `Outer.Inner`.
    pub name: &'t str,
    /// Where it stands.
    pub range: Range<usize>,
    /// What the compiler says when it is not there.
    pub problem: String,
}

/// The types of others that a class or trigger makes, lists, or calls by name. Not those of the platform, its own, and names that may
/// be variables.
pub(crate) fn needed(text: &str) -> Vec<Needed<'_>> {
    let names = code_names(text);
    let own: Vec<&str> = names
        .iter()
        .filter(|(_, range)| {
            ["class", "interface", "enum"]
                .iter()
                .any(|word| follows(text, range.start, word))
        })
        .map(|(name, _)| *name)
        .collect();
    // A name behind another name, or behind a type with parameters, is declared there.
    let declared: Vec<&str> = names
        .iter()
        .filter(|(name, range)| {
            let before = text[..range.start].trim_end();
            before.len() < range.start
                && before.ends_with(|c: char| c.is_alphanumeric() || "_>]".contains(c))
                && !name.contains('.')
        })
        .map(|(name, _)| *name)
        .collect();
    let is_in = |list: &[&str], name: &str| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    let mut found = Vec::new();
    for (whole, range) in &names {
        let name = whole.split('.').next().unwrap_or(whole);
        let (before, after) = (text[..range.start].trim_end(), text[range.end..].trim_start());
        let made = follows(text, range.start, "new");
        let listed = before.ends_with(['<', ',']) && after.starts_with('>');
        let called = whole.contains('.')
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && after.starts_with('(')
            && !before.ends_with('.')
            && !is_in(&declared, name);
        let of_others = !is_in(&own, name)
            && !PLATFORM
                .split_whitespace()
                .any(|known| known.eq_ignore_ascii_case(name));
        if (made || listed || called) && of_others {
            let said = if made || listed {
                "Invalid type"
            } else {
                "Variable does not exist"
            };
            found.push(Needed {
                name,
                range: range.start..range.start + name.len(),
                problem: format!("{said}: {name}"),
            });
        }
    }
    found
}

/// Whether this word stands right before an offset.
fn follows(text: &str, at: usize, word: &str) -> bool {
    let before = text[..at].trim_end();
    let start = before.len().saturating_sub(word.len());
    before.len() < at
        && before.is_char_boundary(start)
        && before[start..].eq_ignore_ascii_case(word)
        && !before[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> String {
        let found: Vec<String> = needed(text).into_iter().map(|one| one.problem).collect();
        found.join("; ")
    }

    #[test]
    fn types_of_others() {
        assert_eq!(
            names(
                "class A { class Inner {} void a(Fee__c fee) { Tax.rate(1); new Inner(); new Wage.Line(); Map<Id, Toll__c> m; \
                 Pay p = new Pay(); p.due(); Tide.level; } }"
            ),
            "Variable does not exist: Tax; Invalid type: Wage; Invalid type: Toll__c; Invalid type: Pay"
        );
    }

    #[test]
    fn what_the_platform_has_and_variables_are_no_types_of_others() {
        assert_eq!(
            names(
                "trigger T on Account (before insert) { /* new Gone() */ String s = 'new Gone()'; Account Row = new Account(); \
                 Row.addError(s); System.debug(s); List<Map<String, Object>> a = new List<Map<String, Object>>(); \
                 Database.Batchable<SObject> b; Schema.getGlobalDescribe(); Test.startTest(); a.size(); f().g(); if (a < b) {} }"
            )
            .replace("Invalid type: Account", ""),
            ""
        );
    }
}
