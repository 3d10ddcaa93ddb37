//! What the guide was told and is stored nowhere else yet.

use sqlx::{PgConnection, PgPool};

use crate::error::{Error, Result};
use crate::guide::answers::Answers;
use crate::{Code, settings};

/// The answers for a connection of that name; answers that this version cannot read count as none.
pub async fn load(db: &PgPool, name: &str) -> Result<Answers> {
    let found =
        sqlx::query_scalar!("select answers::text as \"answers!\" from setup_answers where name = $1", name)
            .fetch_optional(db)
            .await?;
    Ok(found.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Keeps the answers in place of those before.
pub async fn keep(db: &PgPool, name: &str, answers: &Answers) -> Result<()> {
    let text = serde_json::to_string(answers).map_err(|error| {
        let told = settings::problem("", &error.to_string(), None);
        Error::new(Code::SettingsInvalid, format!("the answers cannot be stored: {told}"))
    })?;
    sqlx::query!(
        "insert into setup_answers (name, answers) values ($1, $2::text::jsonb)
         on conflict (name) do update set answers = excluded.answers, at = now()",
        name,
        text
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the answers.
pub async fn forget(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!("delete from setup_answers where name = $1", name).execute(db).await?;
    Ok(())
}

/// Names under which something was begun and is no connection yet, the last one first.
pub async fn begun(db: &PgPool) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select name from setup_answers s
         where not exists (select 1 from connections c where c.name = s.name) order by at desc, name"
    )
    .fetch_all(db)
    .await?)
}
