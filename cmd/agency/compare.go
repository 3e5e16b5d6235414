package main

import (
	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

type compareCmd struct {
	Sent       []string `required:"" type:"existingfile" help:"Nhật ký của bên gửi; lặp lại được. · Logs of senders; repeatable."`
	Received   []string `required:"" type:"existingfile" help:"Nhật ký của bên nhận; lặp lại được. · Logs of receivers; repeatable."`
	ExceptHeld bool     `help:"Văn bản bị giữ khi xác nhận không cần phải đến. · What was held at acknowledgement need not have arrived."`
}

// Run reads the logs and tells what became of everything acknowledged; exit 1 when something is wrong.
func (c *compareCmd) Run(t *term) error {
	var sent []toy.Sent
	for _, path := range c.Sent {
		s, err := toy.ReadSent(path)
		if err != nil {
			return input(path, err)
		}
		sent = append(sent, s...)
	}
	var received []toy.Received
	for _, path := range c.Received {
		r, err := toy.ReadReceived(path)
		if err != nil {
			return input(path, err)
		}
		received = append(received, r...)
	}
	var except []toy.Exception
	if c.ExceptHeld {
		except = toy.HeldOnes(sent)
	}
	r := toy.Compare(sent, received, except...)
	if err := t.tell(r, r.String()); err != nil {
		return err
	}
	if !r.OK() {
		return errNo
	}
	return nil
}
