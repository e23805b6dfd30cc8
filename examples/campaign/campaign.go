package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/retry"
)

// campaign is where a template comes from and how it is sent.
type campaign struct {
	BaseURL, Token, Number string
	Template, Language     string
	Parallel               int           // calls at once
	Sleeper                retry.Sleeper // waits between tries
}

// send sends to every row and reports each outcome, one at a time. An error of its own, or of report, ends the campaign:
// calls under way are finished, others are not begun.
func (c *campaign) send(ctx context.Context, rows [][]string, report func(number, id string, err error) error) (sent, failed int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: c.Parallel, Proxy: http.ProxyFromEnvironment},
	}
	queue := make(chan []string)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range max(c.Parallel, 1) {
		all.Go(func() {
			for row := range queue {
				id, err := c.one(ctx, client, row)
				mu.Lock()
				if err != nil {
					failed++
				} else {
					sent++
				}
				if err := report(digits(row[0]), id, err); err != nil {
					cancel(err)
				}
				mu.Unlock()
			}
		})
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			break
		}
		queue <- row
	}
	close(queue)
	all.Wait()
	return sent, failed, context.Cause(ctx)
}

// one sends to one person. Refusals that pass are tried again; an answer that never came is not, because the message may
// have been accepted.
func (c *campaign) one(ctx context.Context, client *http.Client, row []string) (id string, err error) {
	body, err := json.Marshal(c.message(row))
	if err != nil {
		return "", err
	}
	err = retry.Do(ctx, c.Sleeper, func() error {
		id, err = c.post(ctx, client, body)
		return err
	})
	return id, err
}

func (c *campaign) post(ctx context.Context, client *http.Client, body []byte) (id string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BaseURL+"/v23.0/"+c.Number+"/messages", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("nobody knows whether it was accepted: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("nobody knows whether it was accepted: %w", err)
	}
	if err := retry.Response(res.StatusCode, answer); err != nil {
		return "", err
	}
	var accepted struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(answer, &accepted); err != nil {
		return "", err
	}
	if len(accepted.Messages) != 1 {
		return "", errors.New("the answer has no message id")
	}
	return accepted.Messages[0].ID, nil
}

type object = map[string]any

// message is the template for one person: the columns behind the number fill the variables of its body.
func (c *campaign) message(row []string) object {
	template := object{"name": c.Template, "language": object{"code": c.Language}}
	if len(row) > 1 {
		values := make([]object, len(row)-1)
		for i, text := range row[1:] {
			values[i] = object{"type": "text", "text": text}
		}
		template["components"] = []object{{"type": "body", "parameters": values}}
	}
	return object{"messaging_product": "whatsapp", "to": "+" + digits(row[0]), "type": "template", "template": template}
}
