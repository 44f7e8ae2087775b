// One round through the AWS SDK for Rust (JSON protocol): BRUME_URL names the server.
use aws_sdk_sqs::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("BRUME_URL")?;
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).endpoint_url(url).load().await;
    let client = Client::new(&config);

    let created = client.create_queue().queue_name("rust").send().await?;
    let queue = created.queue_url().ok_or("no URL")?;
    let body = "hello from Rust, ünïcödé \u{1f32b}";
    let sent = client.send_message().queue_url(queue).message_body(body).send().await?;
    let received = client.receive_message().queue_url(queue).wait_time_seconds(1).send().await?;
    let [message] = received.messages() else { return Err("not one message".into()) };
    assert_eq!(message.body(), Some(body));
    assert_eq!(message.message_id(), sent.message_id());
    let receipt = message.receipt_handle().ok_or("no receipt handle")?;
    client.delete_message().queue_url(queue).receipt_handle(receipt).send().await?;

    let missing = client.get_queue_url().queue_name("nowhere").send().await;
    assert!(missing.expect_err("found").into_service_error().is_queue_does_not_exist());
    println!("aws-sdk-rust");
    Ok(())
}
