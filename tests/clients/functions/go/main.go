// A handler as people write it with AWS's library for Go: answers, errors, panics, its context, an answer in pieces.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Wish string `json:"wish"`
	Name string `json:"name"`
}

var count int

func handle(ctx context.Context, in request) (any, error) {
	count++
	switch in.Wish {
	case "fail":
		return nil, errors.New("as you wish")
	case "panic":
		panic("as you wish")
	case "exit":
		os.Exit(4)
	case "stream":
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 201,
			Headers:    map[string]string{"Content-Type": "text/plain"},
			Body:       strings.NewReader(strings.Repeat("piece\n", 100000)),
		}, nil
	}
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	fmt.Println("greeting", in.Name)
	return map[string]any{
		"hello":    in.Name,
		"count":    count,
		"request":  about.AwsRequestID,
		"arn":      about.InvokedFunctionArn,
		"function": lambdacontext.FunctionName,
		"memory":   lambdacontext.MemoryLimitInMB,
		"deadline": !deadline.IsZero(),
	}, nil
}

func main() {
	lambda.Start(handle)
}
