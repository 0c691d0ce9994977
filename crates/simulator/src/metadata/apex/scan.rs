//! Reading Apex just far enough: test methods and lines.

/// The test methods of a class; none when it is no test class.
pub(super) fn test_methods(body: &str) -> Option<Vec<String>> {
    let code = plain(body);
    let mut is_test = false;
    let mut methods = Vec::new();
    for head in code.split(['{', '}', ';']) {
        let lower = head.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@'))
            .collect();
        let annotated = words.contains(&"@istest");
        if words.contains(&"class") {
            is_test |= annotated;
        } else if (annotated || words.contains(&"testmethod"))
            && let Some((before, _)) = head.rsplit_once('(')
            && let Some(name) = before
                .trim_end()
                .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .filter(|name| !name.is_empty())
        {
            methods.push(name.to_owned());
        }
    }
    (is_test || !methods.is_empty()).then_some(methods)
}

/// Lines that say something.
pub(super) fn lines(body: &str) -> u32 {
    let count = plain(body)
        .lines()
        .filter(|line| line.chars().any(char::is_alphanumeric))
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The code without comments and texts.
fn plain(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(['/', '\'']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let (text, after) = comment.split_once("*/").unwrap_or((comment, ""));
            out.extend(text.chars().filter(|c| *c == '\n'));
            rest = after;
        } else if let Some(text) = rest.strip_prefix('\'') {
            let mut escaped = false;
            let end = text.find(|c| {
                let ends = c == '\'' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            rest = end.map_or("", |end| &text[end + 1..]);
            out.push(' ');
        } else {
            out.push('/');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tests() {
        let body = "/* @IsTest class X */ @IsTest(seeAllData=false)\nprivate class T {\n  @TestSetup static void setup() {}\n  \
                    @IsTest static void one() { String s = '@isTest static void no() {'; }\n  static testMethod void two(){}\n  \
                    // @isTest static void three() {}\n  static void helper() {}\n}";
        assert_eq!(test_methods(body), Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(test_methods("public class A { void a() {} }"), None);
        assert_eq!(test_methods("@isTest public class Factory { }"), Some(Vec::new()));
        assert_eq!(lines("class A {\n\n  // x\n  Integer a = 1 / 2;\n}"), 2);
    }
}
