// One round through the AWS SDK for Go v2 (JSON protocol): BRUME_URL names the server.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("aws-sdk-go-v2", aws.SDKVersion)
}

func run(ctx context.Context) error {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(settings, func(o *sqs.Options) { o.BaseEndpoint = aws.String(os.Getenv("BRUME_URL")) })
	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("go")})
	if err != nil {
		return err
	}
	// The SDK checks the digests itself.
	body := "hello from Go, ünïcödé \U0001f32b"
	sent, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: &body})
	if err != nil {
		return err
	}
	received, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 1})
	if err != nil {
		return err
	}
	if len(received.Messages) != 1 || *received.Messages[0].Body != body ||
		*received.Messages[0].MessageId != *sent.MessageId {
		return fmt.Errorf("received %v", received.Messages)
	}
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
		QueueUrl: queue.QueueUrl, ReceiptHandle: received.Messages[0].ReceiptHandle})
	if err != nil {
		return err
	}
	_, err = client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nowhere")})
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		return fmt.Errorf("a queue that is not there: %v", err)
	}
	return nil
}
