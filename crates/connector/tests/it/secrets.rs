//! Credentials: bound to their connection and to the key, and nowhere in the clear.

use base64::Engine as _;
use connector::key::MasterKey;
use connector::store::jobs::Job;
use connector::{Code, Engine, manage};
use sandbox::Side;
use secrecy::ExposeSecret;

use crate::fixture::{World, secrets, settings};

#[tokio::test]
async fn a_credential_copied_to_another_connection_does_not_decrypt() {
    let world = World::new().await;
    let settings = settings(&world.sandbox, &world.board);
    let other = manage::add(&world.engine, "other", &settings, &secrets(&world.sandbox)).await.unwrap();
    world.engine.clients(other).await.unwrap();
    let copy =
        "update credentials c set key_version = s.key_version, nonce = s.nonce, ciphertext = s.ciphertext
                from credentials s where c.connection_id = $1 and s.connection_id = $2 and c.name = s.name";
    sqlx::query(copy).bind(other.0).bind(world.connection.0).execute(&world.engine.db).await.unwrap();
    let fresh = world.another_node().await;
    let error = fresh.clients(other).await.unwrap_err();
    assert_eq!(error.code, Code::CredentialUnreadable);
    // nor together with the data key it was encrypted with
    let copy = "update data_keys c set nonce = s.nonce, wrapped = s.wrapped
                from data_keys s where c.connection_id = $1 and s.connection_id = $2";
    sqlx::query(copy).bind(other.0).bind(world.connection.0).execute(&world.engine.db).await.unwrap();
    assert_eq!(fresh.clients(other).await.unwrap_err().code, Code::CredentialUnreadable);
    fresh.clients(world.connection).await.unwrap();
    fresh.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn one_credential_in_the_place_of_another_does_not_decrypt() {
    let world = World::new().await;
    world
        .sql(
            "update credentials c set nonce = s.nonce, ciphertext = s.ciphertext from credentials s
             where c.name = 'asana_token' and s.name = 'oracle_client_secret'",
        )
        .await;
    let error = world.engine.clients(world.connection).await.unwrap_err();
    assert_eq!(error.code, Code::CredentialUnreadable);
    assert!(error.message.contains("asana_token"), "{error}");
    world.end().await;
}

#[tokio::test]
async fn another_key_is_told_apart_from_a_damaged_credential() {
    let world = World::new().await;
    let key = MasterKey::from_base64(&MasterKey::generate()).unwrap();
    let stranger = Engine::new(world.engine.db.clone(), key);
    assert_eq!(stranger.clients(world.connection).await.unwrap_err().code, Code::KeyWrong);
    world.engine.clients(world.connection).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_job_whose_credential_is_missing_fails_with_its_code() {
    let world = World::new().await;
    world.sql("delete from credentials where name = 'asana_token'").await;
    assert_eq!(world.run(Job::Push).await.unwrap_err().code, Code::CredentialMissing);
    assert_eq!(world.job_code(Job::Push).await, Some(Code::CredentialMissing.to_string()));
    world.end().await;
}

/// Columns that can hold a secret: table and column, with whether it is binary.
async fn columns(world: &World) -> Vec<(String, String, bool)> {
    sqlx::query_as(
        "select table_name::text, column_name::text, data_type = 'bytea' from information_schema.columns
         where table_schema = 'public' and data_type in ('text', 'bytea', 'character varying', 'ARRAY', 'jsonb', 'json')",
    )
    .fetch_all(&world.engine.db)
    .await
    .unwrap()
}

#[tokio::test]
async fn no_column_of_any_table_holds_a_secret_in_the_clear() {
    let world = World::new().await;
    world.sandbox.calls().record_exchanges(1000);
    let order = world.order("US-1", &["10"]);
    world.invoice("INV-1", &[("US-1", "4")]);
    world.sync().await;
    world.set_amount(order, 1, "12345678901234567890.12");
    world.sync().await;
    // failures are stored with words of the other side, which may repeat what was sent
    world.asana(sandbox::asana::Edit::RevokeToken {
        token: world.sandbox.asana().config().tokens[0].token.clone(),
    });
    assert!(world.run(Job::Push).await.is_err());
    let token_answer = world.sandbox.calls().exchanges().into_iter().find(|e| e.side == Side::Token).unwrap();
    let token: serde_json::Value = serde_json::from_str(&token_answer.response_body).unwrap();
    let config = world.sandbox.oracle().config().clone();
    let basic = format!("{}:{}", config.client_id, config.client_secret);
    let secrets = [
        config.client_secret,
        world.sandbox.asana().config().tokens[0].token.clone(),
        token["access_token"].as_str().unwrap().to_owned(),
        world.key.expose_secret().to_owned(),
        base64::engine::general_purpose::STANDARD.encode(basic),
    ];
    let columns = columns(&world).await;
    assert!(columns.len() > 30, "{columns:?}");
    for (table, column, binary) in columns {
        for secret in &secrets {
            assert!(secret.len() > 8);
            let place = match binary {
                true => format!("position(convert_to($1, 'UTF8') in {column})"),
                false => format!("position($1 in {column}::text)"),
            };
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "select count(*) from {table} where {place} > 0"
            )))
            .bind(secret)
            .fetch_one(&world.engine.db)
            .await
            .unwrap();
            assert_eq!(count, 0, "a secret stands in {table}.{column}");
        }
    }
    world.end().await;
}
