// Command truc answers: what can I run and configure? One binary with sub-commands; only here is the environment read,
// and only here may the process end.
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
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/truc-lienthong/truc/storage"
)

// Exit codes (design 8).
const (
	exitYes          = 0
	exitNo           = 1
	exitUndetermined = 2
	exitNothing      = 3
	exitUnusable     = 4
	exitInternal     = 70
	exitDependency   = 75
	exitFlags        = 80
)

// cli is every command and option; each option is an environment variable too.
type cli struct {
	options

	Serve      serveCommand      `cmd:"" help:"Run the axis."`
	Demo       demoCommand       `cmd:"" help:"Play the axis's main job on real input and show it."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database's schema up to date."`
	Setup      setupCommand      `cmd:"" help:"Make the first administrator, with a one-time password."`
	Agency     agencyCommand     `cmd:"" help:"The directory of agencies."`
	System     systemCommand     `cmd:"" help:"Connected systems."`
	User       userCommand       `cmd:"" help:"People who sign in."`
	Trust      trustCommand      `cmd:"" help:"Certificates that signatures are judged by."`
	Policy     policyCommand     `cmd:"" help:"What happens to a sender's unsigned or doubtful documents."`
	Send       sendCommand       `cmd:"" help:"Sign and send a document: the example sender."`
	Verify     verifyCommand     `cmd:"" help:"Judge the signatures of a file."`
	VerifyPath verifyPathCommand `cmd:"" name:"verify-path" help:"Judge a certificate and its path."`
	Reverify   reverifyCommand   `cmd:"" help:"Judge the past again and list what would be another verdict."`
	Stray      strayCommand      `cmd:"" help:"Status packets that fit no delivery."`
	Packet     packetCommand     `cmd:"" help:"edXML packets."`
	Report     reportCommand     `cmd:"" help:"Volumes."`
	Bench      benchCommand      `cmd:"" help:"Measure, with a floor in the same run."`
	Doctor     doctorCommand     `cmd:"" help:"Try every dependency for real."`
	Ready      readyCommand      `cmd:"" help:"Ask the server on this machine whether it is ready: a health check."`
}

// options are those of every command that works on an installation.
type options struct {
	State        string     `env:"TRUC_STATE" help:"Folder of the embedded default (root: /var/lib/truc; else $XDG_STATE_HOME/truc)." type:"path"`
	DatabaseURL  string     `env:"TRUC_DATABASE_URL" name:"database-url" help:"PostgreSQL to use instead of the embedded one: postgres://user@host[,host…]/database."`
	DatabasePass string     `env:"TRUC_DATABASE_PASSWORD_FILE" name:"database-password-file" help:"File that holds the password that the URL leaves out." type:"path"`
	S3Endpoint   string     `env:"TRUC_S3_ENDPOINT" name:"s3-endpoint" help:"Host and port of the S3 store."`
	S3Bucket     string     `env:"TRUC_S3_BUCKET" name:"s3-bucket" help:"Bucket; made when missing."`
	S3AccessKey  string     `env:"TRUC_S3_ACCESS_KEY" name:"s3-access-key" help:"Access key."`
	S3SecretKey  string     `env:"TRUC_S3_SECRET_KEY" name:"s3-secret-key" help:"Secret key."`
	S3SecretFile string     `env:"TRUC_S3_SECRET_KEY_FILE" name:"s3-secret-key-file" help:"File that holds the secret key." type:"path"`
	S3TLS        bool       `env:"TRUC_S3_TLS" name:"s3-tls" help:"Speak TLS to the S3 store."`
	ObjectsDir   string     `env:"TRUC_OBJECTS_DIR" name:"objects-dir" help:"Folder for objects instead of S3, for one node." type:"path"`
	KeyFile      string     `env:"TRUC_KEY_FILE" name:"key-file" help:"Key that seals secrets; made by itself only in the embedded default." type:"path"`
	LogLevel     slog.Level `env:"TRUC_LOG_LEVEL" name:"log-level" default:"INFO" help:"DEBUG, INFO, WARN or ERROR."`
}

// command is what a command runs with.
type command struct {
	ctx     context.Context
	out     io.Writer // the answer: one JSON object with --json, else text
	err     io.Writer // progress and logs
	options *options
	log     *slog.Logger
}

// answer is a command's way to end with a code other than 0 without an error to tell.
type answer struct {
	code int
	text string
}

func (a answer) Error() string { return a.text }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs one command line and returns the process's exit code.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("truc"), kong.Writers(out, errs), kong.Exit(func(code int) { exited = code }),
		kong.Description("Trục liên thông văn bản: the national document interconnection axis, a store-and-forward service."),
		kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(errs, "truc:", err)
		return exitInternal
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help was answered
		return exited
	}
	if err != nil {
		fmt.Fprintln(errs, "truc:", err)
		return exitFlags
	}
	log := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: c.LogLevel}))
	err = parsed.Run(&command{ctx: ctx, out: out, err: errs, options: &c.options, log: log})
	return exitCode(err, errs)
}

func exitCode(err error, errs io.Writer) int {
	var a answer
	var schema *storage.SchemaError
	switch {
	case err == nil:
		return exitYes
	case errors.As(err, &a):
		if a.text != "" {
			fmt.Fprintln(errs, "truc:", a.text)
		}
		return a.code
	}
	fmt.Fprintln(errs, "truc:", err)
	switch {
	case errors.Is(err, storage.ErrUnavailable), errors.As(err, &schema):
		return exitDependency
	case errors.Is(err, storage.ErrExists), errors.Is(err, storage.ErrNotFound):
		return exitNo
	}
	return exitInternal
}

// printJSON writes the one JSON object that --json promises, as the last line.
func (c *command) printJSON(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err = fmt.Fprintf(c.out, "%s\n", line)
	return err
}

// unusable says that what was given cannot be used: exit 4.
func unusable(format string, args ...any) error {
	return answer{code: exitUnusable, text: fmt.Sprintf(format, args...)}
}
