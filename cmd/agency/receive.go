package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"crypto/tls"

	"golang.org/x/sync/errgroup"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

type receiveCmd struct {
	axisFlags
	vxpFlags
	Way          string        `default:"pull" enum:"pull,push,mailbox" help:"Cách nhận: pull (tự hỏi), push (trục gọi đến), mailbox (xem hòm thư tại trục). · How to receive."`
	Listen       string        `default:"127.0.0.1:9090" help:"push: địa chỉ lắng nghe; đăng ký http://ĐỊA-CHỈ/ làm webhook. · push: where to listen; register http://ADDRESS/ as webhook."`
	Tls          bool          `help:"push: dùng chứng thư THỬ NGHIỆM tự tạo. · push: serve TLS with a TEST certificate of its own."`
	TlsRoot      string        `type:"path" help:"push: ghi chứng thư gốc THỬ NGHIỆM (PEM) vào tệp. · push: write the TEST root (PEM) to a file."`
	Later        bool          `help:"push: trả 202 rồi mới lấy. · push: answer 202 and take afterwards."`
	Agency       []string      `help:"mailbox: mã các cơ quan cần xem. · mailbox: codes of the agencies to watch."`
	Reject       string        `help:"Từ chối (02) mọi văn bản với lý do này. · Reject (02) every document with this reason."`
	Complete     bool          `help:"Trả lời đủ các bước: 01, 03, 04, 05, 06. · Answer every step up to done."`
	Silent       bool          `help:"Không trả trạng thái nào. · Say nothing back."`
	Workers      int           `default:"4" help:"Số văn bản xử lý cùng lúc. · Documents at once."`
	ShareFiles   bool          `help:"Chỉ tải tệp một lần cho mỗi văn bản (nhật ký ghi rõ). · Read attachments once a dispatch (the log says so)."`
	SharePackage bool          `help:"Chỉ tải gói một lần cho mỗi văn bản (nhật ký ghi rõ). · Read the package once a dispatch too (the log says so)."`
	Log          string        `type:"path" help:"Nhật ký JSON từng dòng của những gì đã nhận. · JSON-lines log of what was received."`
	Fault        []toy.Fault   `sep:"," placeholder:"NAME[:OPTION…]" help:"Lỗi cần gây, ví dụ status:status=503:p=0.3, slow:delay=2s, lose, down, reset:bytes=12; VXP: crash, fail:reason=het dia, processing, twice. · Faults to play."`
	Seed         uint64        `default:"1" help:"Hạt giống ngẫu nhiên của núm gây lỗi. · Seed of the fault dial."`
	Control      string        `help:"Địa chỉ điều khiển núm gây lỗi: GET, PUT danh sách JSON, DELETE. · Address of the dial: GET, PUT a JSON list, DELETE."`
	For          time.Duration `help:"Dừng sau thời gian này. · Stop after this time."`
	Count        int           `help:"Dừng khi đã nhận đủ số này và đã trả lời xong. · Stop when so many were received and answered."`
}

// Validate checks what kong cannot.
func (c *receiveCmd) Validate() error {
	switch {
	case c.Way == "mailbox" && len(c.Agency) == 0:
		return errors.New("mailbox cần --agency · mailbox needs --agency")
	case c.Vxp && c.Way != "pull":
		return errors.New("--vxp chỉ tự hỏi (--way pull) · --vxp only pulls (--way pull)")
	}
	return nil
}

// errEnough ends a run that has received what it was asked for.
var errEnough = errors.New("enough")

// Run receives until it is told to stop, and tells what came.
func (c *receiveCmd) Run(ctx context.Context, t *term) error {
	log, err := toy.OpenReceivedLog(c.Log)
	if err != nil {
		return input(c.Log, err)
	}
	defer log.Close()
	dial := toy.NewFaults(c.Seed)
	if err := dial.Set(c.Fault...); err != nil {
		return input("--fault", err)
	}
	client, err := c.clients(c.axisFlags)
	if err != nil {
		return err
	}
	defer client.close()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	if err := c.receive(ctx, t, client, log, dial); err != nil {
		return err
	}
	sum := map[string]any{"received": len(log.All()), "again": log.Again(), "receipts": len(log.Said()), "heard": len(log.Heard()), "hits": dial.Hits(), "followed": dial.Followed()}
	return t.tell(sum, fmt.Sprintf("đã nhận · received %d, lặp lại · again %d, đã trả lời · receipts said %d, nghe · heard %d, lỗi đã gây · faults %v",
		sum["received"], sum["again"], sum["receipts"], sum["heard"], sum["hits"]))
}

func (c *receiveCmd) receive(ctx context.Context, t *term, client clients, log *toy.ReceivedLog, dial *toy.Faults) error {
	if c.Control != "" {
		door, err := toy.OpenDoor(c.Control, dial.Control(), nil, nil)
		if err != nil {
			return input("--control", err)
		}
		defer door.Close()
		t.log.Info("fault dial", "url", door.URL())
	}
	g, ctx := errgroup.WithContext(ctx)
	var idle func(context.Context) error
	if c.Way == "mailbox" {
		m := &toy.Mailbox{Client: client.native, Log: log, Agencies: c.Agency, ShareFiles: c.ShareFiles}
		g.Go(func() error { return m.Watch(ctx) })
		idle = func(context.Context) error { return nil }
	} else {
		h := c.hub(t, client, log, dial)
		if c.Way == "push" {
			door, err := c.door(t, h, dial)
			if err != nil {
				return err
			}
			defer door.Close()
		}
		g.Go(func() error { return h.Run(ctx) })
		idle = h.Idle
	}
	if c.Count > 0 {
		g.Go(func() error { return errors.Join(log.Wait(ctx, c.Count), idle(ctx), errEnough) })
	}
	err := g.Wait()
	if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil // it was told to stop
	}
	return err
}

func (c *receiveCmd) hub(t *term, client clients, log *toy.ReceivedLog, dial *toy.Faults) *toy.Hub {
	h := &toy.Hub{
		Client: client.native, VXP: client.vxp, Log: log, Faults: dial, Pull: c.Way == "pull", Workers: c.Workers, Later: c.Later,
		ShareFiles: c.ShareFiles, SharePackage: c.SharePackage, Slog: t.log,
	}
	switch {
	case c.Silent:
		h.Policy = toy.Silent
	case c.Complete:
		h.Policy = toy.WorkThrough
	case c.Reject != "":
		h.Policy = toy.Reject(c.Reject)
	}
	return h
}

func (c *receiveCmd) door(t *term, h http.Handler, dial *toy.Faults) (*toy.Door, error) {
	var conf *tls.Config
	if c.Tls {
		certs, err := toy.NewCertificates(time.Now())
		if err != nil {
			return nil, err
		}
		conf = certs.Config(dial)
		if c.TlsRoot != "" {
			if err := os.WriteFile(c.TlsRoot, certs.RootPEM, 0o644); err != nil {
				return nil, input(c.TlsRoot, err)
			}
		}
	}
	door, err := toy.OpenDoor(c.Listen, h, dial, conf)
	if err != nil {
		return nil, input("--listen", err)
	}
	t.log.Info("webhook", "url", door.URL())
	return door, nil
}
