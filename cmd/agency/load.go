package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

type loadCmd struct {
	axisFlags
	vxpFlags
	documentFlags
	Clients int           `default:"8" help:"Số máy khách gửi cùng lúc. · Clients at once."`
	For     time.Duration `default:"30s" help:"Gửi trong thời gian này. · How long."`
	Max     int           `help:"Nhiều nhất bấy nhiêu văn bản. · At most so many documents."`
	Size    int           `default:"100000" help:"Không có tệp: cỡ của tệp tự sinh, không ký (byte). · Without files: size of a made, unsigned file (bytes)."`
	Tries   int           `default:"0" help:"Số lần thử mỗi văn bản; 0 là không giới hạn. · Tries a document; 0 is no limit."`
	Log     string        `type:"path" help:"Nhật ký JSON từng dòng của những gì đã được xác nhận. · JSON-lines log of what was acknowledged."`
}

// Validate checks what kong cannot.
func (c *loadCmd) Validate() error {
	switch {
	case c.Sender == "" || len(c.To) == 0:
		return errors.New("cần --sender và --to · --sender and --to are needed")
	case c.Clients < 1 || c.Size < 0:
		return errors.New("--clients từ 1, --size từ 0 · --clients from 1, --size from 0")
	}
	return nil
}

// Run loads and tells the figures.
func (c *loadCmd) Run(ctx context.Context, t *term) error {
	c.name()
	log, err := toy.OpenSentLog(c.Log)
	if err != nil {
		return input(c.Log, err)
	}
	defer log.Close()
	if _, err := c.document(""); err != nil {
		return err
	}
	client, err := c.clients(c.axisFlags)
	if err != nil {
		return err
	}
	defer client.close()
	l := toy.Load{Documents: c.next, Log: log, For: c.For, Max: c.Max, Patience: toy.Patience{Tries: c.Tries}}
	for range c.Clients {
		if client.vxp != nil {
			l.VXP = append(l.VXP, client.vxp)
		} else {
			l.Clients = append(l.Clients, client.native)
		}
	}
	r, err := l.Run(ctx)
	if err != nil {
		return err
	}
	err = t.tell(r, fmt.Sprintf("%.1f văn bản/giây · documents a second: %d trong · in %.1f s, bị từ chối · refused %d, p50 %.1f ms, p95 %.1f ms",
		r.PerSecond, r.N, r.Seconds, r.Refused, r.P50, r.P95))
	if err == nil && r.N == 0 && r.Refused > 0 {
		err = errNo
	}
	return err
}

// next makes document i. Files that vanish while the load runs are found when they are read.
func (c *loadCmd) next(i int) toy.Document {
	doc, err := c.document(fmt.Sprintf("-%d", i+1))
	if err == nil && len(doc.Files) == 0 {
		b := append([]byte(doc.Dispatch.DocumentID+"\n"), bytes.Repeat([]byte("."), c.Size)...)
		doc.Files = []toy.File{toy.Bytes("thu.txt", "text/plain", b[:max(c.Size, 1)])}
	}
	if err != nil {
		doc.Files = []toy.File{{Name: "thu.txt", Size: -1, Open: func() (io.ReadCloser, error) { return nil, err }}}
	}
	return doc
}
