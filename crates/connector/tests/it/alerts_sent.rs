//! Alerts are sent: to a real HTTP server that verifies the signature, and to a mail server that keeps what it gets.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use connector::Code;
use connector::alerts;
use connector::store::alerts::Alert;
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use hmac::{Hmac, KeyInit, Mac};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::fixture::World;

const KEY: &[u8] = b"twenty-four bytes and some more";

impl World {
    /// With these `[alerts]`.
    async fn with_alerts(text: &str) -> World {
        let world = World::new().await;
        world.sync().await;
        let alerts = toml::from_str(text).unwrap();
        world.edit(|settings| settings.alerts = alerts).await.unwrap();
        world
    }

    async fn loaded(&self) -> Connection {
        connections::load(&self.engine.db, self.connection).await.unwrap()
    }

    async fn channel_secret(&self, channel: &str, secret: &str) {
        alerts::put_secret(&self.engine, &self.loaded().await, channel, &secret.into()).await.unwrap();
    }

    async fn statement(&self, sql: String) {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&self.engine.db).await.unwrap();
    }

    async fn look(&self) {
        self.run(Job::Alerts).await.unwrap();
    }

    async fn late(&self, feed: &str) {
        self.sql("update connections set updated_at = now() - interval '9 hours'").await;
        self.statement(format!(
            "update jobs set succeeded_at = now() - interval '31 minutes' where job = '{feed}'"
        ))
        .await;
    }

    async fn in_time(&self, feed: &str) {
        self.statement(format!("update jobs set succeeded_at = now() where job = '{feed}'")).await;
    }

    /// So much later for what was told and what waits.
    async fn messages_age(&self, interval: &str) {
        let columns = [
            ("notifications", "created_at"),
            ("notifications", "due_at"),
            ("notifications", "sent_at"),
            ("told_alerts", "told_at"),
        ];
        for (table, column) in columns {
            self.statement(format!("update {table} set {column} = {column} - interval '{interval}'")).await;
        }
    }

    async fn open_alerts(&self) -> Vec<Alert> {
        connector::store::alerts::list(&self.engine.db, self.connection, false, 100).await.unwrap()
    }
}

fn webhook(server: &MockServer, more: &str) -> String {
    format!("{more}\n[[channels]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"{}/in\"\n", server.uri())
}

fn signing_secret() -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(KEY))
}

async fn answers(server: &MockServer, status: u16) {
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(status)).mount(server).await;
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).unwrap().to_str().unwrap()
}

/// The events that a request tells of, after its signature was verified.
fn verified(request: &Request) -> Vec<(String, String)> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.update(
        format!("{}.{}.", header(request, "webhook-id"), header(request, "webhook-timestamp")).as_bytes(),
    );
    mac.update(&request.body);
    let signature = header(request, "webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap()).unwrap();
    let sent: i64 = header(request, "webhook-timestamp").parse().unwrap();
    assert!((jiff::Timestamp::now().as_second() - sent).abs() < 60);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["type"], "alerts");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let alerts = body["data"]["alerts"].as_array().unwrap();
    alerts.iter().map(|one| (text(&one["event"]), text(&one["alert"]["subject"]))).collect()
}

async fn told(server: &MockServer) -> Vec<Vec<(String, String)>> {
    server.received_requests().await.unwrap().iter().map(verified).collect()
}

fn events(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(event, subject)| ((*event).to_owned(), (*subject).to_owned())).collect()
}

#[tokio::test]
async fn a_signed_message_tells_of_the_beginning_a_digest_of_the_rest_and_the_end() {
    let server = MockServer::start().await;
    answers(&server, 204).await;
    let world = World::with_alerts(&webhook(&server, "digest_minutes = 10")).await;
    world.channel_secret("ops", &signing_secret()).await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 0);
    world.late("invoices").await;
    world.look().await;
    world.look().await;
    assert_eq!(told(&server).await, [events(&[("opened", "invoices")])]);
    // within the digest's minutes nothing more is sent, and then all at once
    world.late("purchase_orders").await;
    world.in_time("invoices").await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 1);
    world.messages_age("10 minutes").await;
    world.look().await;
    let both = events(&[("closed", "invoices"), ("opened", "purchase_orders")]);
    assert_eq!(told(&server).await[1..], [both]);
    world.messages_age("10 minutes").await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_nobody_noted_is_sent_again_and_what_somebody_noted_is_not() {
    let server = MockServer::start().await;
    answers(&server, 200).await;
    let world = World::with_alerts(&webhook(&server, "resend_hours = 2")).await;
    world.channel_secret("ops", &signing_secret()).await;
    world.late("invoices").await;
    world.look().await;
    world.messages_age("119 minutes").await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 1);
    world.messages_age("2 minutes").await;
    world.look().await;
    assert_eq!(told(&server).await[1..], [events(&[("again", "invoices")])]);
    let alert = world.open_alerts().await.remove(0).alert_id;
    let db = &world.engine.db;
    connector::store::alerts::acknowledge(db, world.connection, alert, None, None).await.unwrap();
    world.messages_age("3 hours").await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn quiet_hours_hold_back_all_but_the_kinds_that_pass() {
    let server = MockServer::start().await;
    answers(&server, 200).await;
    let quiet = |pass: &str| {
        let hours = "time_zone = \"UTC\"\nfrom = \"00:00\"\nto = \"23:59:59.999999999\"";
        webhook(&server, &format!("[quiet]\n{hours}\npass = [{pass}]"))
    };
    let world = World::with_alerts(&quiet("\"in_doubt\"")).await;
    world.channel_secret("ops", &signing_secret()).await;
    world.late("invoices").await;
    world.look().await;
    assert_eq!((world.open_alerts().await.len(), told(&server).await.len()), (1, 0));
    let passes = toml::from_str(&quiet("\"feed_late\"")).unwrap();
    world.edit(|settings| settings.alerts = passes).await.unwrap();
    world.late("invoices").await;
    world.look().await;
    assert_eq!(told(&server).await, [events(&[("opened", "invoices")])]);
    world.end().await;
}

#[tokio::test]
async fn a_node_killed_while_it_sends_has_another_send_the_same_bytes_again() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(600));
    Mock::given(method("POST")).respond_with(slow).up_to_n_times(1).mount(&server).await;
    answers(&server, 200).await;
    let world = World::with_alerts(&webhook(&server, "")).await;
    world.channel_secret("ops", &signing_secret()).await;
    world.late("invoices").await;
    tokio::select! {
        ended = world.run(Job::Alerts) => panic!("ended: {ended:?}"),
        () = async { while told(&server).await.is_empty() { tokio::task::yield_now().await } } => {}
    }
    // neither a second look nor the digest makes another message
    world.sql("update jobs set lease_until = now() - interval '1 second' where job = 'alerts'").await;
    world.messages_age("10 minutes").await;
    let other = world.another_node().await;
    let progress = tokio::sync::watch::Sender::new(0);
    connector::node::run_once(&other, world.connection, &[Job::Alerts], &progress).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(verified(&sent[0]), verified(&sent[1]));
    assert_eq!(sent[0].body, sent[1].body);
    assert_eq!(header(&sent[0], "webhook-id"), header(&sent[1], "webhook-id"));
    world.messages_age("10 minutes").await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_receiver_that_refuses_for_a_day_is_given_up_and_is_an_alert_until_a_message_arrives() {
    let server = MockServer::start().await;
    answers(&server, 302).await;
    let world = World::with_alerts(&webhook(&server, "")).await;
    world.late("invoices").await;
    // no secret is stored: nothing goes out unsigned
    world.look().await;
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    world.channel_secret("ops", &signing_secret()).await;
    for _ in 0..4 {
        world.sql("update notifications set due_at = now()").await;
        world.look().await;
    }
    assert_eq!(told(&server).await.len(), 4);
    world.look().await;
    let failing = |alerts: Vec<Alert>| alerts.into_iter().find(|alert| alert.kind == "channel_failing");
    let alert = failing(world.open_alerts().await).unwrap();
    assert_eq!((alert.subject.as_str(), alert.count), ("ops", 1));
    assert_eq!(alert.code, Some(Code::ChannelRefused.to_string()));
    assert!(alert.title.contains("0 of them given up"), "{alert:?}");
    world.sql("update notifications set created_at = created_at - interval '25 hours', due_at = now()").await;
    world.look().await;
    world.look().await;
    assert_eq!(told(&server).await.len(), 5);
    assert!(failing(world.open_alerts().await).unwrap().title.contains("1 of them given up"));
    server.reset().await;
    answers(&server, 200).await;
    world.in_time("invoices").await;
    world.look().await;
    world.look().await;
    assert_eq!(told(&server).await, [events(&[("closed", "invoices")])]);
    assert_eq!(failing(world.open_alerts().await).map(|alert| alert.title), None);
    world.end().await;
}

#[tokio::test]
async fn a_slack_hook_gets_text_and_its_address_stays_secret() {
    let server = MockServer::start().await;
    answers(&server, 200).await;
    let world = World::with_alerts("[[channels]]\nname = \"chat\"\nkind = \"slack\"").await;
    let connection = world.loaded().await;
    let secret = "http://example.com/s3cret".into();
    let error = alerts::put_secret(&world.engine, &connection, "chat", &secret).await.unwrap_err();
    assert!(error.code == Code::ChannelSecret && !format!("{error:?}").contains("s3cret"));
    let error = alerts::test(&world.engine, &connection, "nobody").await.unwrap_err();
    assert_eq!(error.code, Code::ChannelUnknown);
    world.channel_secret("chat", &format!("{}/s3cret", server.uri())).await;
    world.late("invoices").await;
    world.look().await;
    let sent = server.received_requests().await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!((sent.len(), sent[0].url.path()), (1, "/s3cret"));
    assert!(body["text"].as_str().unwrap().contains("open: invoices was not read for 31 minutes"), "{body}");
    assert_eq!(alerts::test(&world.engine, &connection, "chat").await.unwrap(), "200 OK");
    world.channel_secret("chat", "http://127.0.0.1:1/s3cret").await;
    let error = alerts::test(&world.engine, &connection, "chat").await.unwrap_err();
    assert!(error.code == Code::ChannelUnreachable && !format!("{error:?}").contains("s3cret"), "{error:?}");
    world.end().await;
}

/// A mail server that knows one password and keeps every message it accepts.
async fn mail_server(password: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let mails = kept.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = serve_mail(stream, password, &mails).await;
        }
    });
    (port, kept)
}

async fn serve_mail(
    stream: tokio::net::TcpStream,
    password: &str,
    mails: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail ESMTP\r\n").await?;
    let (mut mail, mut known) = (String::new(), false);
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-mail\r\n250 AUTH PLAIN",
            "AUTH" => {
                let given = line.rsplit(' ').next().unwrap_or_default();
                known = given == BASE64_STANDARD.encode(format!("\0robot\0{password}"));
                if known { "235 ok" } else { "535 no" }
            }
            "MAIL" | "RCPT" if known => {
                mail.push_str(&format!("{line}\n"));
                "250 ok"
            }
            "DATA" if known => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(&format!("{line}\n"));
                }
                mails.lock().unwrap().push(std::mem::take(&mut mail));
                "250 kept"
            }
            "QUIT" => "221 bye",
            _ => "503 what",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn mail_goes_out_with_a_password_and_one_message_id() {
    let (port, mails) = mail_server("right").await;
    let channel = format!(
        "[[channels]]\nname = \"mail\"\nkind = \"email\"\nto = [\"Ann <ann@a.example>\", \"bob@b.example\"]
from = \"connector@c.example\"\nsmtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_tls = \"none\"
smtp_user = \"robot\""
    );
    let world = World::with_alerts(&channel).await;
    let connection = world.loaded().await;
    let error = alerts::test(&world.engine, &connection, "mail").await.unwrap_err();
    assert_eq!(error.code, Code::ChannelSecret);
    world.channel_secret("mail", "wr0ng").await;
    let error = alerts::test(&world.engine, &connection, "mail").await.unwrap_err();
    assert!(error.code == Code::ChannelRefused && !format!("{error:?}").contains("wr0ng"), "{error:?}");
    world.late("invoices").await;
    world.look().await;
    assert_eq!(mails.lock().unwrap().len(), 0);
    world.channel_secret("mail", "right").await;
    world.sql("update notifications set due_at = now()").await;
    world.look().await;
    // as if the answer had been lost
    world.sql("update notifications set state = 'pending', due_at = now()").await;
    world.look().await;
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1]);
    assert!(mails[0].starts_with("MAIL FROM:<connector@c.example>"), "{}", mails[0]);
    for part in
        ["RCPT TO:<ann@a.example>", "RCPT TO:<bob@b.example>", "Message-ID: <", "@c.example>", "Date: "]
    {
        assert!(mails[0].contains(part), "{part}: {}", mails[0]);
    }
    assert!(mails[0].contains("open: invoices was not read for 31 minutes"), "{}", mails[0]);
    world.end().await;
}
