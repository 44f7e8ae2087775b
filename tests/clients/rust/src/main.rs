// What an application does with SQS, through the AWS SDK for Rust (JSON protocol). AWS_ENDPOINT_URL names the server, and
// the SDK reads it itself.
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use aws_sdk_sqs::Client;
use std::time::Duration;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).load().await;
    let client = Client::new(&config);
    let created = client.create_queue().queue_name("rust").attributes(QueueAttributeName::VisibilityTimeout, "60");
    let created = created.send().await?;
    let queue = created.queue_url().ok_or("no URL")?;

    batches(&client, queue).await?;
    a_long_poll(&client, queue).await?;
    a_mebibyte(&client, queue).await?;
    attributes(&client, queue).await?;
    errors(&client, queue).await?;
    per_client(queue).await?;
    println!("aws-sdk-rust, sqs {}", aws_sdk_sqs::meta::PKG_VERSION);
    Ok(())
}

async fn receive(client: &Client, queue: &str, most: i32, seconds: i32) -> Outcome<Vec<Message>> {
    let call = client.receive_message().queue_url(queue).max_number_of_messages(most).wait_time_seconds(seconds);
    let call = call.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All);
    Ok(call.send().await?.messages.unwrap_or_default())
}

async fn take(client: &Client, queue: &str, seconds: i32) -> Outcome<String> {
    let messages = receive(client, queue, 1, seconds).await?;
    let [message] = &messages[..] else { return Err("not one message".into()) };
    client.delete_message().queue_url(queue).set_receipt_handle(message.receipt_handle.clone()).send().await?;
    Ok(message.body().unwrap_or_default().into())
}

async fn batches(client: &Client, queue: &str) -> Outcome {
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("x").delay_seconds(901).build()?;
    let mut call = client.send_message_batch().queue_url(queue).entries(late);
    for i in 0..9u8 {
        let number = MessageAttributeValue::builder().data_type("Number").string_value(i.to_string()).build()?;
        let raw = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([i, 255])).build()?;
        let entry = SendMessageBatchRequestEntry::builder().id(format!("m{i}")).message_body(format!("ünïcödé {i} \u{1f32b}"));
        call = call.entries(entry.message_attributes("i", number).message_attributes("raw", raw).build()?);
    }
    let sent = call.send().await?;
    assert_eq!(sent.successful().len(), 9);
    let [failed] = sent.failed() else { return Err("not one failure".into()) };
    assert_eq!((failed.id(), failed.code()), ("late", "InvalidParameterValue"));

    let messages = receive(client, queue, 10, 1).await?;
    let mut hide = client.change_message_visibility_batch().queue_url(queue);
    let mut gone = client.delete_message_batch().queue_url(queue);
    for message in &messages {
        let attributes = message.message_attributes().ok_or("no attributes")?;
        let i = attributes["i"].string_value().ok_or("no number")?;
        assert_eq!(message.body(), Some(format!("ünïcödé {i} \u{1f32b}").as_str()));
        assert_eq!(attributes["raw"].binary_value().map(|raw| raw.as_ref()), Some(&[i.parse::<u8>()?, 255][..]));
        let system = message.attributes().ok_or("no system attributes")?;
        assert_eq!(system[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
        let handle = message.receipt_handle().ok_or("no receipt handle")?;
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(i).receipt_handle(handle);
        hide = hide.entries(entry.visibility_timeout(120).build()?);
        gone = gone.entries(DeleteMessageBatchRequestEntry::builder().id(i).receipt_handle(handle).build()?);
    }
    assert_eq!(hide.send().await?.successful().len(), 9);
    assert_eq!(gone.send().await?.successful().len(), 9);
    Ok(())
}

async fn a_long_poll(client: &Client, queue: &str) -> Outcome {
    let later = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        client.send_message().queue_url(queue).message_body("woken").send().await
    };
    let (body, sent) = tokio::join!(take(client, queue, 20), later);
    sent?;
    assert_eq!(body?, "woken");
    Ok(())
}

async fn a_mebibyte(client: &Client, queue: &str) -> Outcome {
    let body = "m".repeat(1_048_576);
    client.send_message().queue_url(queue).message_body(&body).send().await?;
    assert_eq!(take(client, queue, 0).await?, body);
    let long = client.send_message().queue_url(queue).message_body(body + "m").send().await;
    assert_eq!(long.expect_err("sent").code(), Some("InvalidParameterValue"));
    Ok(())
}

async fn attributes(client: &Client, queue: &str) -> Outcome {
    client.set_queue_attributes().queue_url(queue).attributes(QueueAttributeName::DelaySeconds, "3").send().await?;
    let found = client.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::All).send().await?;
    let found = found.attributes().ok_or("no attributes")?;
    assert_eq!(found[&QueueAttributeName::DelaySeconds], "3");
    assert_eq!(found[&QueueAttributeName::VisibilityTimeout], "60");
    assert_eq!(found[&QueueAttributeName::ApproximateNumberOfMessages], "0");
    let mut pages = client.list_queues().queue_name_prefix("rust").into_paginator().page_size(1).items().send();
    assert_eq!(pages.next().await.transpose()?.as_deref(), Some(queue));
    Ok(())
}

async fn errors(client: &Client, queue: &str) -> Outcome {
    let missing = client.get_queue_url().queue_name("nowhere").send().await;
    assert!(missing.expect_err("found").into_service_error().is_queue_does_not_exist());
    let other = client.create_queue().queue_name("rust").attributes(QueueAttributeName::DelaySeconds, "4").send().await;
    assert!(other.expect_err("made").into_service_error().is_queue_name_exists());
    let garbage = client.delete_message().queue_url(queue).receipt_handle("garbage").send().await;
    assert!(garbage.expect_err("deleted").into_service_error().is_receipt_handle_is_invalid());
    Ok(())
}

async fn per_client(queue: &str) -> Outcome {
    let url = std::env::var("BRUME_URL")?;
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).endpoint_url(url).load().await;
    let client = Client::new(&config);
    assert_eq!(client.get_queue_url().queue_name("rust").send().await?.queue_url(), Some(queue));
    Ok(())
}
