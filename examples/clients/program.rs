//! The same as program.mjs, for a recipe in Rust, with which it is compiled.
mod recipe;
mod reused_token;

use recipe::Recipe;
use std::error::Error;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let recipe = Recipe::new().await?;
    let mut statements = BufReader::new(stdin()).lines();
    while let Some(statement) = statements.next_line().await? {
        match recipe.query(&statement).await {
            Ok(answer) => println!("> {answer}"),
            Err(error) => println!("> error: {}", messages_of(&*error).split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    recipe.close();
    Ok(())
}

/// A pool puts the error of the driver into one of its own.
fn messages_of(error: &(dyn Error + 'static)) -> String {
    error.source().map_or(error.to_string(), |source| format!("{error}: {}", messages_of(source)))
}
