use super::*;
use crate::guide::address::{oracle_url, token_url};

fn whole() -> Answers {
    let named = |gid: &str| Some(Named { gid: gid.to_owned(), name: "N".to_owned() });
    Answers {
        oracle_url: oracle_url("acme us2").ok(),
        token_url: token_url("idcs-1.identity.oraclecloud.com").ok(),
        client_id: Some("client".to_owned()),
        scope: Some("urn:x".to_owned()),
        workspace: named("12"),
        project: named("34"),
        per: Some(TaskPer::Line),
        ..Answers::default()
    }
}

const ALL_HELD: Held = Held { client_secret: true, oracle_tested: true, asana_token: true };

#[test]
fn questions_come_in_their_order_and_an_answered_one_never_again() {
    let whole = whole();
    let (mut answers, mut held, mut asked) = (Answers::default(), Held::default(), Vec::new());
    while let Some(question) = answers.next(held) {
        asked.push(question);
        match question {
            Question::OracleUrl => answers.oracle_url.clone_from(&whole.oracle_url),
            Question::TokenUrl => answers.token_url.clone_from(&whole.token_url),
            Question::ClientId => answers.client_id.clone_from(&whole.client_id),
            Question::Scope => answers.scope.clone_from(&whole.scope),
            Question::ClientSecret => held.client_secret = true,
            Question::OracleTest => held.oracle_tested = true,
            Question::AsanaToken => held.asana_token = true,
            Question::Workspace => answers.workspace.clone_from(&whole.workspace),
            Question::Project => answers.project.clone_from(&whole.project),
            Question::Per => answers.per = whole.per,
        }
    }
    use Question as Q;
    let order = [
        Q::OracleUrl,
        Q::TokenUrl,
        Q::ClientId,
        Q::Scope,
        Q::ClientSecret,
        Q::OracleTest,
        Q::AsanaToken,
        Q::Workspace,
        Q::Project,
        Q::Per,
    ];
    assert_eq!(asked, order);
    assert_eq!(answers, whole);
}

#[test]
fn after_leaving_only_the_secrets_are_asked_again() {
    let kept: Answers = serde_json::from_str(&serde_json::to_string(&whole()).unwrap()).unwrap();
    assert_eq!(kept, whole());
    assert_eq!(kept.next(Held::default()), Some(Question::ClientSecret));
    let oracle_done = Held { asana_token: false, ..ALL_HELD };
    assert_eq!(kept.next(oracle_done), Some(Question::AsanaToken));
    assert_eq!(kept.next(ALL_HELD), None);
}

#[test]
fn the_settings_are_those_of_a_file_with_the_same_values() {
    let file = "[oracle]\nurl = \"https://acme.fa.us2.oraclecloud.com\"\n\
                token_url = \"https://idcs-1.identity.oraclecloud.com/oauth2/v1/token\"\nclient_id = \"client\"\n\
                scope = \"urn:x\"\n[asana]\nworkspace = \"12\"\n[routing.default]\nproject = \"34\"\n\
                [tasks]\nper = \"line\"\n";
    assert_eq!(whole().settings().unwrap(), Settings::from_toml(file).unwrap());
    for question in
        [Question::OracleUrl, Question::Scope, Question::Workspace, Question::Project, Question::Per]
    {
        let mut answers = whole();
        answers.take_back(question);
        assert!(answers.told().iter().all(|(told, _)| *told != question));
        assert_eq!(answers.settings().unwrap_err().code, Code::SettingsInvalid, "{question:?}");
        assert_ne!(answers.next(ALL_HELD), None);
    }
}

#[test]
fn a_workspace_that_the_token_does_not_see_is_asked_again_with_its_project() {
    let mut answers = whole();
    let seen = |gid: &str| vec![Named { gid: gid.to_owned(), name: String::new() }];
    answers.keep_to(&seen("12"));
    assert_eq!(answers, whole());
    answers.keep_to(&seen("13"));
    assert_eq!(answers.next(ALL_HELD), Some(Question::Workspace));
    assert_eq!(answers.project, None);
}

#[test]
fn a_refusal_suspects_first_what_its_code_speaks_of() {
    for (code, first) in [
        (Code::OracleClientRefused, Question::ClientSecret),
        (Code::OracleScopeRefused, Question::Scope),
        (Code::OracleTokenFailed, Question::TokenUrl),
        (Code::OracleNoRows, Question::OracleUrl),
    ] {
        let all = suspects(code);
        assert_eq!((all[0], all.len()), (first, Question::OF_ORACLE.len()), "{code:?}");
    }
}
