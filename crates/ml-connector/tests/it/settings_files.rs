//! What a person reads whose settings file is broken: what is wrong and where, and never a secret that
//! strayed into the file.

use crate::pair::Pair;
use crate::program::run;
use crate::world::World;

const GOOD: &str = r#"
[oracle]
url = "https://acme.fa.us2.oraclecloud.com"
token_url = "https://idcs-1.identity.oraclecloud.com/oauth2/v1/token"
client_id = "client"
scope = "urn:opc:resource:fa"
[asana]
workspace = "1200"
[fields]
po_number = "1"
supplier = "2"
invoice_status = "3"
line_item_amount = "4"
[routing.default]
project = "77"
"#;

/// What is printed for each broken file.
async fn complaints(world: &World, files: &[(&str, String)]) -> String {
    let mut all = String::new();
    for (name, text) in files {
        let file = world.file("broken.toml", text);
        let refused = world.run(&["connection", "add", "x", "-f", file.to_str().unwrap()]).await.ends_with(1);
        assert_eq!(refused.stdout, "");
        all.push_str(&format!("## {name}\n{}\n", refused.stderr));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_settings_file_is_refused_with_all_problems_and_where_they_are() {
    let world = World::new().await;
    let without = |line: &str| GOOD.replace(&format!("{line}\n"), "");
    let files = [
        ("not TOML", GOOD.replace("[asana]", "[asana")),
        ("nothing in it", String::new()),
        ("an unknown setting", GOOD.replace("workspace =", "work_space =")),
        ("a word where a number belongs", format!("{GOOD}[schedule]\npoll_minutes = \"often\"\n")),
        ("an address that is none", GOOD.replace("https://acme.fa.us2.oraclecloud.com", "acme")),
        ("an unknown field", GOOD.replace("supplier = ", "suplier = ")),
        ("no Oracle address", without("url = \"https://acme.fa.us2.oraclecloud.com\"")),
        (
            "several problems at once",
            GOOD.replace("po_number = \"1\"", "po_number = \"one\"")
                .replace("invoice_status = \"3\"", "invoice_status = \"2\"")
                .replace(
                    "[asana]",
                    "framework_version = 3\npage_size = 500\n[asana]\nrequests_per_minute = 0",
                )
                + "[schedule]\npoll_minutes = 0\n[tasks]\nname = \"{{ order.number\"\n",
        ),
    ];
    insta::assert_snapshot!(complaints(&world, &files).await);
    assert_eq!(world.count("select count(*) from connections").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_strayed_into_the_settings_file_is_not_repeated() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    let stray = "xK7-stray-Secret-42";
    for line in [
        format!("client_secret = \"{stray}\""),
        format!("client_id = {stray}"),
        format!("client_id = \"a\"\nclient_id = \"{stray}\""),
        format!("scope = [\"{stray}\"]"),
        format!("page_size = \"{stray}\""),
        format!("token_url = \"{stray}\""),
    ] {
        let key = line.split(" = ").next().unwrap().trim_matches('"');
        let rest: String = pair
            .settings()
            .lines()
            .filter(|l| !l.starts_with(&format!("{key} =")))
            .map(|l| format!("{l}\n"))
            .collect();
        let file = world.file("stray.toml", &rest.replace("[oracle]", &format!("[oracle]\n{line}")));
        for json in [&[][..], &["--json"]] {
            let mut args = vec!["connection", "add", "x", "-f", file.to_str().unwrap(), "--log", "trace"];
            args.extend(json);
            let refused = run(world.program(&args)).await.ends_with(1);
            assert!(refused.stderr.contains("MLC-1208"), "{refused:?}");
            assert!(!refused.stderr.contains(stray), "{line}: {}", refused.stderr);
        }
    }
    world.end().await;
}
