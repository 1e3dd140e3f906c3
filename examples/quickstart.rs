//! Prints what comes, as a model would read it.

use headgate_client::{Client, ClientError, Event};

#[tokio::main]
async fn main() -> Result<(), ClientError> {
    let url = std::env::args().nth(1).unwrap_or("http://127.0.0.1:8080".to_owned());
    let mut client = Client::builder().url(url).subscription("demo").build()?;
    client.on_event(|event: Event| async move {
        println!("{}", event.prompt_ready());
    });
    client.run().await
}
