# Keeps one private PostgreSQL: makes the cluster, starts it, starts it again when it dies, and stops it when its last
# user has gone. It outlives the process that started it (another may use PostgreSQL by then) but never its last user.
#
# Comes by standard input, so that the process list stays readable. Current folder: the cluster's own. Arguments: the
# folder of initdb and postgres, the folder of the socket, the program that makes a fresh cluster durable, settings.
# fd 3  keeper.lock, locked by whoever started us: there is one keeper. Only we hold it, so it is free when we are gone.
# fd 4  users.lock. Each user holds a shared lock on it, which the kernel takes back even after SIGKILL. The exclusive
#       lock therefore comes when nobody is left; newcomers then wait until we have gone.
# fd 5  postgres.lock, only in the processes of PostgreSQL: shows which of them outlived their postmaster.
keep() {
	bin=$1 sockets=$2 settle=$3
	shift 3
	umask 077
	echo $$ >keeper.lock
	stop='' pg='' tries=0
	trap '' HUP INT QUIT
	trap 'stop=1' TERM

	# Again and again, because a signal between two commands below would be lost.
	setpriv --pdeathsig KILL sh -c 'setpriv --pdeathsig KILL flock -x 4 && while kill -TERM $PPID; do sleep 0.1; done' 3>&- &

	# 1. initdb writes elsewhere. A crash leaves pg.tmp, which the next start removes.
	# 2. What it wrote becomes durable, in one go: its own way of a sync for each of 990 files is slow on a real disk.
	# 3. The name, too. A crash in between leaves one of the two names and a whole cluster.
	if [ ! -e pg ]; then
		rm -rf pg.tmp
		"$bin/initdb" -D pg.tmp -U truc -A trust --locale=C.UTF-8 -E UTF8 -k --no-sync --no-instructions >/dev/null &&
			$settle -f pg.tmp && mv pg.tmp pg && $settle . || exit 1
	fi

	while [ -z "$stop" ] && [ $tries -lt 3 ]; do
		mkdir -m 700 "$sockets" 2>/dev/null
		if [ ! -O "$sockets" ]; then
			echo "the socket folder $sockets cannot be made or belongs to somebody else" >&2
			exit 1
		fi
		began=$(date +%s)
		(
			flock -n 5 || exit 75
			# SIGQUIT ends PostgreSQL with its processes; SIGKILL would leave those behind.
			exec setpriv --pdeathsig QUIT "$bin/postgres" -D pg -k "$sockets" "$@"
		) 5>>postgres.lock 3>&- 4>&- &
		pg=$!
		wait $pg
		[ -n "$stop" ] && break
		# Whoever still holds fd 5 lost its postmaster to SIGKILL, and keeps the shared memory that a new one needs.
		for fd in /proc/[0-9]*/fd/5; do
			if [ "$fd" -ef postgres.lock ]; then
				fd=${fd#/proc/}
				kill -KILL "${fd%%/*}"
			fi
		done
		tries=$((tries + 1))
		[ $(($(date +%s) - began)) -gt 10 ] && tries=0
		sleep 0.1
	done
	[ -n "$stop" ] || exit 1

	# Fast shutdown. Again and again, because until PostgreSQL has set itself up it ignores the signal.
	while kill -INT "$pg" 2>/dev/null; do
		sleep 0.02
	done
	rmdir "$sockets" 2>/dev/null
	exit 0
}
keep "$@" </dev/null
