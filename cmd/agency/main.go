// Command agency answers: what does an agency's system see of the axis? It is a toy agency to run by hand — sender,
// receiver with a fault dial, load generator — and, with package toy, the example client for partners.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

// Exit codes, the same as truc's.
const (
	exitDone     = 0
	exitNo       = 1  // the axis refused; a comparison found a fault
	exitInput    = 4  // a file or an option that cannot be used
	exitInternal = 70 // a bug
	exitDown     = 75 // the axis cannot be reached, or is unwell
	exitFlags    = 80
)

// cli is every command and option. kong makes TRUC_AGENCY_<OPTION> of each.
type cli struct {
	JSON bool `help:"Một đối tượng JSON ở dòng cuối của stdout. · One JSON object as the last line of stdout."`

	Send    sendCmd    `cmd:"" help:"Gửi một hoặc nhiều văn bản đến khi trục xác nhận hoặc từ chối. · Send documents until the axis acknowledges or refuses them."`
	Receive receiveCmd `cmd:"" help:"Nhận văn bản (pull, push, mailbox), trả trạng thái; có núm gây lỗi. · Receive documents and answer them; with a fault dial."`
	Load    loadCmd    `cmd:"" help:"Gửi tải từ nhiều máy khách và đo. · Send from many clients at once and measure."`
	Compare compareCmd `cmd:"" help:"So nhật ký gửi với nhật ký nhận: có mất, sai, trùng không. · Compare logs: was anything lost, damaged or doubled?"`
}

const description = `Cơ quan giả lập: gửi, nhận, gây lỗi, gửi tải qua API của trục liên thông; cũng là ví dụ cho đối tác.
A toy agency: sends, receives, misbehaves and loads through the axis's API; also the example client for partners.

  agency send --system H29.12 --secret S --sender H29.12 --to H26 --to G22 cong-van.pdf
  agency receive --system H26 --secret S --way pull --log received.jsonl --fault slow:delay=2s:p=0.1
  agency receive --system G22 --secret S --way push --listen 127.0.0.1:9090 --control 127.0.0.1:9091
  agency send --vxp --system H29.12 --secret S --sender H29.12 --to H26 --standing cong-van.pdf
  agency receive --vxp --system H26 --secret S --complete --log received.jsonl --fault crash:p=0.1,processing:p=0.2
  agency load --system H29.12 --secret S --sender H29.12 --to H26 --clients 8 --for 30s signed.pdf
  agency compare --sent sent.jsonl --received received.jsonl`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exited carries kong's wish to exit (--help) out of it: only main may exit.
type exited int

// run is main without the process: it gives the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exited:
			code = int(e)
		default:
			panic(e)
		}
	}()
	var c cli
	parser, err := newParser(&c, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitInternal
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "agency:", err)
		return exitFlags
	}
	t := &term{out: stdout, json: c.JSON, log: slog.New(slog.NewTextHandler(stderr, nil))}
	k.BindTo(ctx, (*context.Context)(nil))
	return exitCode(k.Run(t), stderr)
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c, kong.Name("agency"), kong.Description(description), kong.DefaultEnvars("TRUC_AGENCY"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }))
}

// errNo is an answer "no" that was already told.
var errNo = errors.New("no")

func exitCode(err error, stderr io.Writer) int {
	var local *toy.LocalError
	_, refused := toy.Refusal(err)
	again, _ := toy.Again(err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	}
	fmt.Fprintln(stderr, "agency:", err)
	switch {
	case errors.As(err, &local):
		return exitInput
	case refused:
		return exitNo
	case again, errors.Is(err, context.Canceled):
		return exitDown
	}
	return exitInternal
}

// term is where a command tells what it did.
type term struct {
	out  io.Writer
	json bool
	log  *slog.Logger
}

// tell writes the result: as one line of JSON, or as the text.
func (t *term) tell(v any, text string) error {
	if !t.json {
		_, err := fmt.Fprintln(t.out, text)
		return err
	}
	return json.NewEncoder(t.out).Encode(v)
}

// axisFlags say where the axis is, who we are and what we speak.
type axisFlags struct {
	Server string `default:"http://127.0.0.1:8080" help:"Địa chỉ của trục. · Address of the axis."`
	System string `required:"" help:"Mã hệ thống. · System id."`
	Secret string `required:"" help:"Khóa bí mật của hệ thống; nên đặt qua biến môi trường. · The system's secret; better given in the environment."`
}

func (a axisFlags) client() *toy.Client { return toy.NewClient(a.Server, a.System, a.Secret) }

// vxpFlags say whether we speak as VNPT's SDK does.
type vxpFlags struct {
	Vxp     bool     `help:"Nói giao thức VXP như SDK Java 2.0.1 của VNPT, bằng gói tin edXML. · Speak VXP as VNPT's Java SDK 2.0.1 does, in edXML packets."`
	VxpPath string   `default:"/vxp" help:"VXP: service.endpoint là địa chỉ của trục thêm đường dẫn này. · VXP: service.endpoint is the axis's address and this path."`
	Dialect []string `sep:"," help:"VXP: khác SDK Java ở chỗ nào: padded, base64, docid, lower, utf8, to. · VXP: in what it differs from the Java SDK."`
}

// clients are what we speak to the axis with: one of the two.
type clients struct {
	native *toy.Client
	vxp    *toy.VXP
}

func (v vxpFlags) clients(a axisFlags) (clients, error) {
	if !v.Vxp {
		return clients{native: a.client()}, nil
	}
	dialect, err := toy.ParseDialect(v.Dialect...)
	if err != nil {
		return clients{}, input("--dialect", err)
	}
	client := toy.NewVXP(strings.TrimSuffix(a.Server, "/")+v.VxpPath, a.System, a.Secret)
	client.Dialect = dialect
	return clients{vxp: client}, nil
}

func (c clients) close() {
	if c.vxp != nil {
		c.vxp.Close()
		return
	}
	c.native.Close()
}

// input makes a file that cannot be used an error of its own.
func input(name string, err error) error {
	if err == nil {
		return nil
	}
	return &toy.LocalError{Name: name, Err: err}
}
