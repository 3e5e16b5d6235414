// Package storagetest answers: on what real dependencies do the tests of storage and of its users run? It gives each
// test a database of its own, a bucket of its own, and an object store with faults on a dial.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/storage"
)

// cluster is this process's share in the PostgreSQL of all tests that run on this machine under this user. It is never
// closed: the share ends with the process, and PostgreSQL with the last share.
var cluster struct {
	once sync.Once
	dsn  string
	copy string // how CREATE DATABASE copies a template
	err  error
}

const patience = time.Minute // for starting PostgreSQL, and for making a database, on a busy machine

// Postgres gives the DSN of a real PostgreSQL that all test processes of this user share. It does not sync, so a power
// cut may break it; each boot of the machine has its own. Do not write to the database that the DSN names: see Schema.
func Postgres(t testing.TB) string {
	t.Helper()
	cluster.once.Do(func() { cluster.dsn, cluster.err = startCluster() })
	if cluster.err != nil {
		t.Fatalf("tests need PostgreSQL: %v", cluster.err)
	}
	return cluster.dsn
}

func startCluster() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all := filepath.Join(os.TempDir(), fmt.Sprintf("truc-test-%d-", os.Getuid()))
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	dir := all + string(boot[:8])
	old, _ := filepath.Glob(all + "*") // fails only for a bad pattern
	for _, other := range old {
		if other != dir {
			_ = os.RemoveAll(other) // of an earlier boot: nobody runs in it, and it may be broken
		}
	}
	e, err := storage.StartEmbedded(ctx, storage.EmbeddedConfig{Dir: dir, NoSync: true})
	if err != nil {
		return "", err
	}
	if err := dropOrphans(ctx, e.DSN()); err != nil {
		return "", fmt.Errorf("clean the test databases in %s: %w", dir, err)
	}
	return e.DSN(), chooseCopy(ctx, e.DSN())
}

// chooseCopy: since version 15 PostgreSQL copies a template through its log unless told not to. Measured with our
// schema and without syncs: 110 ms through the log, 11 ms file by file (four at once: 49 and 17 ms each).
func chooseCopy(ctx context.Context, dsn string) error {
	return admin(ctx, dsn, func(c *pgx.Conn) error {
		version := 0
		if err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
			return err
		}
		if version >= 150000 {
			cluster.copy = " STRATEGY file_copy"
		}
		return nil
	})
}

var ours = regexp.MustCompile(`^truc_test_([0-9]+)_`)

// dropOrphans drops the databases of test processes that were killed before they could.
func dropOrphans(ctx context.Context, dsn string) error {
	var names []string
	err := admin(ctx, dsn, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'truc\_test\_%'`)
		if err != nil {
			return err
		}
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		m := ours.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		if _, err := os.Stat("/proc/" + m[1]); errors.Is(err, os.ErrNotExist) {
			if err := execute(ctx, dsn, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil && !goneMeanwhile(err) {
				return err
			}
		}
	}
	return nil
}

// goneMeanwhile: another test process that starts now drops the same ones.
func goneMeanwhile(err error) bool {
	return strings.Contains(err.Error(), "does not exist") || strings.Contains(err.Error(), "concurrently")
}

func admin(ctx context.Context, dsn string, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return do(c)
}

func execute(ctx context.Context, dsn, sql string) error {
	return admin(ctx, dsn, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

var counter atomic.Int64

// newName begins with our process id, so that a later process can tell whose it was.
func newName() string {
	return "truc_test_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(counter.Add(1), 10)
}

// in is the DSN of another database of the cluster.
func in(dsn, database string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic("storagetest: " + err.Error())
	}
	u.Path = "/" + database
	return u.String()
}

// template is a database that migrate has filled once, to be copied for each test.
type template struct {
	once sync.Once
	name string
	err  error
}

var templates sync.Map // code pointer of a migrate function -> *template

// Schema gives the DSN of a fresh database that migrate has filled; it is dropped when the test ends, whoever is still
// connected. A nil migrate gives an empty database. migrate runs once in a process, on a template that is then copied;
// functions made by the same line of code count as one, so what it captures must not matter.
func Schema(t testing.TB, migrate func(ctx context.Context, dsn string) error) string {
	t.Helper()
	dsn := Postgres(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	from := "template0"
	if migrate != nil {
		kept, _ := templates.LoadOrStore(reflect.ValueOf(migrate).Pointer(), new(template))
		made := kept.(*template)
		made.once.Do(func() { made.name, made.err = makeTemplate(ctx, dsn, migrate) })
		if made.err != nil {
			t.Fatalf("migrate the template of the test databases: %v", made.err)
		}
		from = made.name
	}
	name := newName()
	if err := execute(ctx, dsn, `CREATE DATABASE `+name+` TEMPLATE `+from+cluster.copy); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := execute(ctx, dsn, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return in(dsn, name)
}

func makeTemplate(ctx context.Context, dsn string, migrate func(ctx context.Context, dsn string) error) (string, error) {
	name := newName()
	if err := execute(ctx, dsn, `CREATE DATABASE `+name+` TEMPLATE template0`+cluster.copy); err != nil {
		return "", err
	}
	if err := migrate(ctx, in(dsn, name)); err != nil {
		return "", err
	}
	// Nobody may be connected while it is copied; a pool that migrate forgot to close would fail every test.
	return name, execute(ctx, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+name+`'`)
}
