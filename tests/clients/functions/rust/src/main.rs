//! A handler as people write it with AWS's library for Rust: answers, errors, panics, its context, an answer in pieces.
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::streaming::{channel, Body, Response};
use lambda_runtime::{run, service_fn, Error, FunctionResponse, LambdaEvent, MetadataPrelude};
use serde_json::{json, Value};

static COUNT: AtomicUsize = AtomicUsize::new(0);

async fn handle(event: LambdaEvent<Value>) -> Result<FunctionResponse<Value, Body>, Error> {
    let count = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    let (payload, context) = event.into_parts();
    match payload["wish"].as_str() {
        Some("fail") => return Err("as you wish".into()),
        Some("panic") => panic!("as you wish"),
        Some("exit") => std::process::exit(4),
        Some("stream") => return Ok(FunctionResponse::StreamingResponse(stream().await)),
        _ => {}
    }
    println!("greeting {}", payload["name"]);
    Ok(FunctionResponse::BufferedResponse(json!({
        "hello": payload["name"],
        "count": count,
        "request": context.request_id,
        "arn": context.invoked_function_arn,
        "function": context.env_config.function_name,
        "memory": context.env_config.memory,
        "deadline": context.deadline > 0,
    })))
}

async fn stream() -> Response<Body> {
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for _ in 0..100 {
            if sender.send_data("piece\n".repeat(1000).into()).await.is_err() {
                return;
            }
        }
    });
    let mut prelude = MetadataPrelude::default();
    prelude.status_code = http::StatusCode::CREATED;
    prelude.headers.insert("content-type", "text/plain".parse().expect("a header"));
    Response { metadata_prelude: prelude, stream: body }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
