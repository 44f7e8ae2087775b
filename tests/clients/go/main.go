// What an application does with SQS, through the AWS SDK for Go v2 (JSON protocol). AWS_ENDPOINT_URL names the server, and
// the SDK reads it itself; it also checks the digest of each message that it sends or receives.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

type round struct {
	client *sqs.Client
	queue  *string
}

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
	client := sqs.NewFromConfig(settings)
	created, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("go"), Attributes: map[string]string{"VisibilityTimeout": "60"}})
	if err != nil {
		return err
	}
	r := &round{client, created.QueueUrl}
	for _, play := range []func(context.Context) error{r.batches, r.longPoll, r.mebibyte, r.attributes, r.errors, r.perClient} {
		if err := play(ctx); err != nil {
			return err
		}
	}
	return nil
}

// One message, which must be there, and is deleted.
func (r *round) take(ctx context.Context, seconds int32) (string, error) {
	got, err := r.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: r.queue, WaitTimeSeconds: seconds})
	if err != nil {
		return "", err
	}
	if len(got.Messages) != 1 {
		return "", fmt.Errorf("received %d messages", len(got.Messages))
	}
	_, err = r.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
		QueueUrl: r.queue, ReceiptHandle: got.Messages[0].ReceiptHandle})
	return *got.Messages[0].Body, err
}

func (r *round) batches(ctx context.Context) error {
	entries := []types.SendMessageBatchRequestEntry{{Id: aws.String("late"), MessageBody: aws.String("x"), DelaySeconds: 901}}
	for i := range 9 {
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(fmt.Sprint("m", i)), MessageBody: aws.String(fmt.Sprint("ünïcödé \U0001f32b ", i)),
			MessageAttributes: map[string]types.MessageAttributeValue{
				"i":   {DataType: aws.String("Number"), StringValue: aws.String(fmt.Sprint(i))},
				"raw": {DataType: aws.String("Binary"), BinaryValue: []byte{byte(i), 255}}}})
	}
	sent, err := r.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: r.queue, Entries: entries})
	if err != nil {
		return err
	}
	if len(sent.Successful) != 9 || len(sent.Failed) != 1 || *sent.Failed[0].Code != "InvalidParameterValue" {
		return fmt.Errorf("sent %v, failed %v", sent.Successful, sent.Failed)
	}
	got, err := r.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: r.queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
	if err != nil {
		return err
	}
	var hide []types.ChangeMessageVisibilityBatchRequestEntry
	var gone []types.DeleteMessageBatchRequestEntry
	for i, message := range got.Messages {
		number := message.MessageAttributes["i"].StringValue
		if *message.Body != fmt.Sprint("ünïcödé \U0001f32b ", *number) || message.Attributes["ApproximateReceiveCount"] != "1" ||
			!bytes.Equal(message.MessageAttributes["raw"].BinaryValue[1:], []byte{255}) {
			return fmt.Errorf("received %v", message)
		}
		id := aws.String(fmt.Sprint(i))
		hide = append(hide, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: id, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 120})
		gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: message.ReceiptHandle})
	}
	hidden, err := r.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: r.queue, Entries: hide})
	if err != nil {
		return err
	}
	deleted, err := r.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: r.queue, Entries: gone})
	if err != nil {
		return err
	}
	if len(hidden.Successful) != 9 || len(deleted.Successful) != 9 {
		return fmt.Errorf("%d hidden, %d deleted", len(hidden.Successful), len(deleted.Successful))
	}
	return nil
}

func (r *round) longPoll(ctx context.Context) error {
	sent := make(chan error, 1)
	time.AfterFunc(500*time.Millisecond, func() {
		_, err := r.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: r.queue, MessageBody: aws.String("woken")})
		sent <- err
	})
	body, err := r.take(ctx, 20)
	if err == nil && body != "woken" {
		err = fmt.Errorf("received %q", body)
	}
	return errors.Join(err, <-sent)
}

func (r *round) mebibyte(ctx context.Context) error {
	body := strings.Repeat("m", 1048576)
	if _, err := r.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: r.queue, MessageBody: &body}); err != nil {
		return err
	}
	got, err := r.take(ctx, 0)
	if err != nil || got != body {
		return fmt.Errorf("received %d bytes: %w", len(got), err)
	}
	_, err = r.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: r.queue, MessageBody: aws.String(body + "m")})
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != "InvalidParameterValue" {
		return fmt.Errorf("a message that is too long: %v", err)
	}
	return nil
}

func (r *round) attributes(ctx context.Context) error {
	_, err := r.client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: r.queue, Attributes: map[string]string{"DelaySeconds": "3"}})
	if err != nil {
		return err
	}
	got, err := r.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: r.queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"DelaySeconds": "3", "VisibilityTimeout": "60",
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"} {
		if got.Attributes[name] != value {
			return fmt.Errorf("%s is %s, not %s", name, got.Attributes[name], value)
		}
	}
	pages := sqs.NewListQueuesPaginator(r.client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("go"), MaxResults: aws.Int32(1)})
	page, err := pages.NextPage(ctx)
	if err != nil || len(page.QueueUrls) != 1 || page.QueueUrls[0] != *r.queue {
		return fmt.Errorf("listed %v: %w", page, err)
	}
	return nil
}

func (r *round) errors(ctx context.Context) error {
	_, err := r.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nowhere")})
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		return fmt.Errorf("a queue that is not there: %v", err)
	}
	_, err = r.client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("go"), Attributes: map[string]string{"DelaySeconds": "4"}})
	var exists *types.QueueNameExists
	if !errors.As(err, &exists) {
		return fmt.Errorf("a queue with other attributes: %v", err)
	}
	_, err = r.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: r.queue, ReceiptHandle: aws.String("garbage")})
	var handle *types.ReceiptHandleIsInvalid
	if !errors.As(err, &handle) {
		return fmt.Errorf("a receipt handle that is none: %v", err)
	}
	return nil
}

func (r *round) perClient(ctx context.Context) error {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(settings, func(o *sqs.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("BRUME_URL"))
	})
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("go")})
	if err == nil && *found.QueueUrl != *r.queue {
		err = fmt.Errorf("found %s", *found.QueueUrl)
	}
	return err
}
