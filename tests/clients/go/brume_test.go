package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

var brumeURL string

func TestMain(m *testing.M) {
	data, _ := os.MkdirTemp("", "brume-")
	defer os.RemoveAll(data)
	server := exec.Command("brume", "start", "--listen", "127.0.0.1:0", "--data", data)
	output, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		panic(err)
	}
	line, _ := bufio.NewReader(output).ReadString('\n')
	ready := regexp.MustCompile(`listening on (\S+),`).FindStringSubmatch(line)
	if ready == nil {
		panic("brume did not start: " + line)
	}
	brumeURL = ready[1]
	defer server.Wait()
	defer server.Process.Signal(syscall.SIGTERM)
	m.Run()
}

// An account of the test's own: no other test sees its queues.
func newClient(t *testing.T) *sqs.Client {
	account := fmt.Sprintf("%012d", rand.Int64N(1e12))
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(account, "any", "")))
	if err != nil {
		t.Fatal(err)
	}
	return sqs.NewFromConfig(settings, func(o *sqs.Options) { o.BaseEndpoint = aws.String(brumeURL) })
}

func TestQueuesOfOthersAreNotSeen(t *testing.T) {
	for range 2 {
		t.Run("alone", func(t *testing.T) {
			t.Parallel()
			client := newClient(t)
			if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")}); err != nil {
				t.Fatal(err)
			}
			listed, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			if err != nil || len(listed.QueueUrls) != 1 {
				t.Fatal(listed, err)
			}
		})
	}
}
