#!/bin/sh
# Installs Skiff: Kubernetes for small machines.
#
#   From a release:   curl -sfL <mirror>/install.sh | INSTALL_SKIFF_MIRROR=<mirror> sh -
#   From a checkout:  ./install.sh            (builds it first)
#   Join a server:    SKIFF_URL=https://<server>:6443 SKIFF_TOKEN=<token> sh install.sh
#
# Arguments go to the program: `sh install.sh server --cluster-cidr 10.50.0.0/16`. Without a command: agent if SKIFF_URL is set, else server.
# SKIFF_* variables and proxies are kept for the service. Variables of the installation itself:
#
#   INSTALL_SKIFF_MIRROR             where releases are: an https:// or file:// URL, or a folder
#   INSTALL_SKIFF_VERSION            a folder below the mirror (default: the mirror itself)
#   INSTALL_SKIFF_CHANNEL            the same, for a moving name like "stable"
#   INSTALL_SKIFF_SKIP_DOWNLOAD      true: use the program that is installed
#   INSTALL_SKIFF_FORCE_RESTART      true: restart even if nothing changed
#   INSTALL_SKIFF_SYMLINK            kubectl link: "skip", "force", default: only when there is no kubectl
#   INSTALL_SKIFF_SKIP_ENABLE        true: do not start at boot
#   INSTALL_SKIFF_SKIP_START         true: do not start now
#   INSTALL_SKIFF_BIN_DIR            default /usr/local/bin
#   INSTALL_SKIFF_BIN_DIR_READ_ONLY  true: write nothing there (implies SKIP_DOWNLOAD)
#   INSTALL_SKIFF_SYSTEMD_DIR        default /etc/systemd/system
#   INSTALL_SKIFF_EXEC               command and flags, as arguments
#   INSTALL_SKIFF_NAME               service name (default: skiff, or skiff-agent)
#   INSTALL_SKIFF_TYPE               server or agent, overrides the guess
#   INSTALL_SKIFF_ENABLE_CGROUPS     true: edit the boot command line of a Raspberry Pi if the memory cgroup is off
#   INSTALL_SKIFF_WAIT_SECONDS       how long to wait for the node to become Ready (default 120)
set -eu

info() { printf '%s\n' "$*"; }
warn() { printf 'WARNING: %s\n' "$*" >&2; }
fail() { printf 'ERROR: %s\n' "$*" >&2; exit 1; }
is_true() { case "${1:-}" in true | 1 | yes) return 0 ;; *) return 1 ;; esac; }

# --- what is wanted ------------------------------------------------------------------------------------------------------------------------

read_arguments() {
  # shellcheck disable=SC2086 # INSTALL_SKIFF_EXEC holds several words
  [ $# -gt 0 ] || set -- ${INSTALL_SKIFF_EXEC:-}
  case "${1:-}" in
    server | agent) COMMAND=$1; shift ;;
    *) if [ -n "${SKIFF_URL:-}" ]; then COMMAND=agent; else COMMAND=server; fi ;;
  esac
  COMMAND=${INSTALL_SKIFF_TYPE:-$COMMAND}
  case "$COMMAND" in server | agent) ;; *) fail "INSTALL_SKIFF_TYPE must be server or agent, not '$COMMAND'" ;; esac
  ARGUMENTS=''
  for argument in "$@"; do ARGUMENTS="$ARGUMENTS '$(printf '%s' "$argument" | sed "s/'/'\\\\''/g")'"; done
  if [ "$COMMAND" = agent ]; then
    case "${SKIFF_URL:-}" in
      https://*) ;;
      '') case "$ARGUMENTS" in *--server*) ;; *) fail 'an agent needs SKIFF_URL=https://<server>:6443' ;; esac ;;
      *) fail "SKIFF_URL must start with https://, not '$SKIFF_URL'" ;;
    esac
    if [ -z "${SKIFF_TOKEN:-}" ] && [ -z "${SKIFF_TOKEN_FILE:-}" ]; then
      case "$ARGUMENTS" in *--token*) ;; *) fail 'an agent needs SKIFF_TOKEN: on the server run: cat /var/lib/skiff/server/node-token' ;; esac
    fi
  fi
  if [ "$COMMAND" = server ]; then NAME=${INSTALL_SKIFF_NAME:-skiff}; else NAME=${INSTALL_SKIFF_NAME:-skiff-agent}; fi
  BIN_DIR=${INSTALL_SKIFF_BIN_DIR:-/usr/local/bin}
  SYSTEMD_DIR=${INSTALL_SKIFF_SYSTEMD_DIR:-/etc/systemd/system}
  DATA_DIR=${SKIFF_DATA_DIR:-/var/lib/skiff}
  RUN_DIR=${SKIFF_RUN_DIR:-/run/skiff}
  ETC_DIR=/etc/skiff
  ENV_FILE=$ETC_DIR/$NAME.env
  PID_FILE=$RUN_DIR/$NAME.pid
  LOG_FILE=/var/log/$NAME.log
  CHANGED=false
  REBOOT_NEEDED=false
  TEMP=$(mktemp -d)
  trap 'rm -rf "$TEMP"' EXIT
}

# --- what machine this is ------------------------------------------------------------------------------------------------------------------

check_machine() {
  [ "$(id -u)" = 0 ] || fail 'this must run as root: try again with sudo'
  [ "$(uname -s)" = Linux ] || fail "Skiff runs on Linux, this is $(uname -s)"
  case "$(uname -m)" in
    x86_64 | amd64) ARCH=x64 ;;
    aarch64 | arm64) ARCH=arm64 ;;
    armv6l | armv7l) fail "this is a 32-bit system ($(uname -m)); install the 64-bit Raspberry Pi OS (a Pi 3, 4, 5 or Zero 2 can run it)" ;;
    *) fail "there is no Skiff for $(uname -m) machines" ;;
  esac
  if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then INIT=systemd
  elif [ -x /sbin/openrc-run ] && command -v rc-service >/dev/null; then INIT=openrc
  else INIT=none; fi
  install_missing_tools
  check_memory_cgroup
}

# The node agent sets addresses and rules with the programs ip and nft; every Debian since 10 has them unless they were removed.
install_missing_tools() {
  missing=''
  command -v ip >/dev/null || missing="$missing iproute2"
  command -v nft >/dev/null || [ -x /usr/sbin/nft ] || missing="$missing nftables"
  command -v mount >/dev/null || missing="$missing mount"
  command -v xz >/dev/null || missing="$missing xz-utils"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "please install:$missing"
  info "Installing$missing"
  # shellcheck disable=SC2086 # several package names
  { apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null; } ||
    fail "apt-get could not install:$missing"
}

# The hierarchy of version 2 lists what it has; with version 1 the kernel lists what is enabled.
has_memory_cgroup() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    grep -qw memory /sys/fs/cgroup/cgroup.controllers
  elif [ -r /proc/cgroups ]; then
    awk '$1 == "memory" && $4 == 1 { found = 1 } END { exit !found }' /proc/cgroups
  fi
}

check_memory_cgroup() {
  has_memory_cgroup && return 0
  for file in /boot/firmware/cmdline.txt /boot/cmdline.txt; do [ -f "$file" ] && break; file=''; done
  if [ -z "$file" ]; then
    warn 'the memory cgroup is off: pods cannot be limited and the node will not become Ready. Boot with: cgroup_enable=memory cgroup_memory=1'
    return 0
  fi
  if grep -q 'cgroup_enable=memory' "$file"; then
    REBOOT_NEEDED=true
    return 0
  fi
  fix="sed -i '1 s/\$/ cgroup_memory=1 cgroup_enable=memory/' $file"
  if is_true "${INSTALL_SKIFF_ENABLE_CGROUPS:-}" || asked_and_agreed "The memory cgroup is off. Add 'cgroup_memory=1 cgroup_enable=memory' to $file now?"; then
    cp "$file" "$file.before-skiff"
    sh -c "$fix"
    info "The memory cgroup is switched on in $file from the next boot on (the old file is $file.before-skiff)"
    REBOOT_NEEDED=true
  else
    warn 'the memory cgroup is off (the default of Raspberry Pi OS): the node will not become Ready. Fix it with:'
    warn "    sudo $fix && sudo reboot"
  fi
}

asked_and_agreed() {
  [ -t 0 ] && [ -t 1 ] || return 1
  printf '%s [y/N] ' "$1"
  read -r answer
  case "$answer" in y | Y | yes) return 0 ;; *) return 1 ;; esac
}

# --- the program ---------------------------------------------------------------------------------------------------------------------------

install_program() {
  if is_true "${INSTALL_SKIFF_SKIP_DOWNLOAD:-}" || is_true "${INSTALL_SKIFF_BIN_DIR_READ_ONLY:-}"; then
    [ -x "$BIN_DIR/skiff" ] || fail "INSTALL_SKIFF_SKIP_DOWNLOAD is set, but there is no $BIN_DIR/skiff"
  elif [ -n "${INSTALL_SKIFF_MIRROR:-}" ]; then
    install_release
  elif in_checkout; then
    build_from_checkout
  else
    fail 'say where releases are: INSTALL_SKIFF_MIRROR=https://… or a folder; or run install.sh in a checkout of the source'
  fi
  link_kubectl
}

in_checkout() {
  case "$0" in */install.sh | install.sh) CHECKOUT=$(cd "$(dirname "$0")" && pwd) ;; *) return 1 ;; esac
  [ -f "$CHECKOUT/package.json" ] && grep -q '"name": "skiff"' "$CHECKOUT/package.json"
}

build_from_checkout() {
  command -v npm >/dev/null || fail 'building needs npm (Node.js 18 or newer)'
  info "Building Skiff for this machine"
  (cd "$CHECKOUT" && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build -- "$ARCH")
  replace_program "$CHECKOUT/dist/skiff-linux-$ARCH"
}

install_release() {
  base=${INSTALL_SKIFF_MIRROR%/}
  folder=${INSTALL_SKIFF_VERSION:-${INSTALL_SKIFF_CHANNEL:-}}
  [ -z "$folder" ] || base=$base/$folder
  file=skiff-linux-$ARCH.xz
  download "$base/SHA256SUMS" "$TEMP/SHA256SUMS"
  wanted=$(awk -v f="$file" '$2 == f { print $1 }' "$TEMP/SHA256SUMS")
  [ -n "$wanted" ] || fail "$base/SHA256SUMS has no line for $file"
  if [ -x "$BIN_DIR/skiff" ] && [ "$(cat "$ETC_DIR/installed-release" 2>/dev/null)" = "$wanted" ]; then
    info 'The program is up to date'
    return 0
  fi
  info "Downloading $base/$file"
  download "$base/$file" "$TEMP/$file"
  actual=$(sha256sum "$TEMP/$file" | cut -d ' ' -f 1)
  [ "$actual" = "$wanted" ] || fail "the download is damaged: its sha256 is $actual, it should be $wanted. Try again."
  xz -dc "$TEMP/$file" >"$TEMP/skiff"
  replace_program "$TEMP/skiff"
  mkdir -p "$ETC_DIR"
  printf '%s\n' "$wanted" >"$ETC_DIR/installed-release"
}

download() {
  case "$1" in
    file://*) cp "${1#file://}" "$2" || fail "cannot read ${1#file://}" ;;
    /*) cp "$1" "$2" || fail "cannot read $1" ;;
    https://*)
      if command -v curl >/dev/null; then curl -sfL -o "$2" "$1" || fail "cannot download $1"
      elif command -v wget >/dev/null; then wget -q -O "$2" "$1" || fail "cannot download $1"
      else fail 'please install curl'; fi ;;
    *) fail "INSTALL_SKIFF_MIRROR must be an https:// or file:// URL or a folder, not '$1'" ;;
  esac
}

# By rename, so that a running program keeps its own file.
replace_program() {
  if cmp -s "$1" "$BIN_DIR/skiff"; then
    info 'The program is up to date'
    return 0
  fi
  mkdir -p "$BIN_DIR"
  cp "$1" "$BIN_DIR/.skiff.new"
  chmod 0755 "$BIN_DIR/.skiff.new"
  mv "$BIN_DIR/.skiff.new" "$BIN_DIR/skiff"
  CHANGED=true
  info "Installed $BIN_DIR/skiff ($("$BIN_DIR/skiff" --version))"
}

link_kubectl() {
  is_true "${INSTALL_SKIFF_BIN_DIR_READ_ONLY:-}" && return 0
  case "${INSTALL_SKIFF_SYMLINK:-}" in
    skip) return 0 ;;
    force) ln -sf skiff "$BIN_DIR/kubectl" ;;
    *) command -v kubectl >/dev/null || [ -e "$BIN_DIR/kubectl" ] || ln -s skiff "$BIN_DIR/kubectl" ;;
  esac
}

# --- the service ---------------------------------------------------------------------------------------------------------------------------

# Writes standard input to a file if that changes it.
write_file() {
  cat >"$TEMP/new"
  if ! cmp -s "$TEMP/new" "$1" 2>/dev/null; then
    mkdir -p "$(dirname "$1")"
    (umask 077 && cp "$TEMP/new" "$1.new")
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
    CHANGED=true
  fi
}

# For the C library: what Skiff frees goes back to the machine, 5 MB of 70 when idle. Not worth a setting of their own, so they stand with the others.
memory_settings() {
  printf '%s\n' MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=32768
}

write_environment() {
  # Values may hold anything but a line break.
  { memory_settings; env | grep -E '^(SKIFF_[A-Z0-9_]+|(https?|HTTPS?|no|NO|all|ALL)_(proxy|PROXY))=' | sort | sed "s/'/'\\\\''/g; s/=\(.*\)/='\1'/"; } | write_file "$ENV_FILE" 0600
}

write_service() {
  case "$INIT" in
    systemd) systemd_unit | write_file "$SYSTEMD_DIR/$NAME.service" 0644 ;;
    openrc) openrc_script | write_file "/etc/init.d/$NAME" 0755 ;;
  esac
}

systemd_unit() {
  cat <<UNIT
[Unit]
Description=Skiff: Kubernetes for small machines
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
NotifyAccess=all
EnvironmentFile=-$ENV_FILE
ExecStart=$BIN_DIR/skiff $COMMAND$(printf '%s' "$ARGUMENTS" | sed 's/%/%%/g; s/\$/$$/g')
# Containers keep running while Skiff restarts.
KillMode=process
Delegate=yes
Restart=always
RestartSec=5s
TimeoutStartSec=0
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=0
TasksMax=infinity
OOMScoreAdjust=-900
UNIT
}

openrc_script() {
  cat <<SCRIPT
#!/sbin/openrc-run
description="Skiff: Kubernetes for small machines"
supervisor=supervise-daemon
command="$BIN_DIR/skiff"
command_args="$COMMAND$ARGUMENTS"
output_log=$LOG_FILE
error_log=$LOG_FILE
pidfile=$PID_FILE
respawn_delay=5
respawn_max=0
depend() { need net; after firewall; }
set -o allexport
[ ! -f $ENV_FILE ] || . $ENV_FILE
set +o allexport
SCRIPT
}

write_scripts() {
  is_true "${INSTALL_SKIFF_BIN_DIR_READ_ONLY:-}" && return 0
  killall_script | write_file "$BIN_DIR/skiff-killall" 0755
  uninstall_script | write_file "$BIN_DIR/skiff-uninstall" 0755
}

start_service() {
  if is_true "${INSTALL_SKIFF_SKIP_ENABLE:-}"; then :; else enable_service; fi
  is_true "${INSTALL_SKIFF_SKIP_START:-}" && { info "Not started, as asked"; return 0; }
  if [ "$REBOOT_NEEDED" = true ]; then
    info 'Skiff is installed. Reboot, so that the memory cgroup is on; then it starts by itself: sudo reboot'
    return 0
  fi
  if [ "$CHANGED" = false ] && ! is_true "${INSTALL_SKIFF_FORCE_RESTART:-}" && is_running; then
    info 'Nothing changed, and it is running: left alone'
    return 0
  fi
  info "Starting $NAME"
  case "$INIT" in
    systemd) systemctl restart --no-block "$NAME" ;;
    openrc) rc-service "$NAME" restart ;;
    none) restart_in_background ;;
  esac
  wait_until_ready
}

enable_service() {
  case "$INIT" in
    systemd) systemctl daemon-reload; systemctl enable -q "$NAME" ;;
    openrc) rc-update add "$NAME" default >/dev/null ;;
  esac
}

is_running() {
  case "$INIT" in
    systemd) systemctl is-active -q "$NAME" ;;
    openrc) rc-service -q "$NAME" status >/dev/null ;;
    none) [ -f "$PID_FILE" ] && kill -0 "$(cat "$PID_FILE")" 2>/dev/null ;;
  esac
}

restart_in_background() {
  info "There is no systemd and no OpenRC here: Skiff runs in the background (pid file $PID_FILE, log $LOG_FILE) and does not start at boot"
  stop_in_background
  mkdir -p "$RUN_DIR"
  (
    set -a
    # shellcheck disable=SC1090 # written above
    . "$ENV_FILE"
    set +a
    eval "exec setsid '$BIN_DIR/skiff' $COMMAND $ARGUMENTS" </dev/null >>"$LOG_FILE" 2>&1 &
    echo $! >"$PID_FILE"
  )
}

stop_in_background() {
  is_running || return 0
  pid=$(cat "$PID_FILE")
  kill "$pid"
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.2; done
  warn "process $pid did not stop within 20 seconds, killing it"
  kill -9 "$pid" 2>/dev/null || true
}

wait_until_ready() {
  info 'Waiting for the node to become Ready'
  # shellcheck disable=SC1090 # written above
  if (set -a; [ ! -f "$ENV_FILE" ] || . "$ENV_FILE"; set +a; eval "'$BIN_DIR/skiff' status --wait ${INSTALL_SKIFF_WAIT_SECONDS:-120} $COMMAND $ARGUMENTS"); then
    next_steps
  else
    case "$INIT" in systemd) log="journalctl -u $NAME" ;; *) log="tail $LOG_FILE" ;; esac
    fail "the node is not Ready yet. Look at: $log"
  fi
}

next_steps() {
  if [ "$COMMAND" = server ]; then
    cat <<NEXT

Skiff is running. What you may want next:
  sudo skiff kubectl get nodes
  sudo skiff kubectl create deployment hello --image=nginx
  sudo skiff token print-join        # the command that joins another machine
NEXT
  else
    cat <<NEXT

This machine has joined. What you may want next:
  sudo skiff status
  On the server: sudo skiff kubectl get nodes
  On the server: sudo skiff kubectl get pods -A -o wide
NEXT
  fi
}

# --- the scripts that undo it --------------------------------------------------------------------------------------------------------------

killall_script() {
  cat <<SCRIPT
#!/bin/sh
# Stops Skiff and everything it started: containers, network, mounts, cgroups. Data stays.
NAME=$NAME INIT=$INIT PID_FILE=$PID_FILE DATA_DIR=$DATA_DIR RUN_DIR=$RUN_DIR CGROUP_ROOT=${SKIFF_CGROUP_ROOT:-}
SCRIPT
  cat <<'SCRIPT'
[ "$(id -u)" = 0 ] || { echo 'this must run as root: try again with sudo' >&2; exit 1; }
case "$INIT" in
  systemd) systemctl stop "$NAME" 2>/dev/null ;;
  openrc) rc-service "$NAME" stop 2>/dev/null ;;
esac

# Ends a process and waits for it.
end_process() {
  kill "$2" "$1" 2>/dev/null || return 0
  for _ in $(seq 50); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null
}
if [ -f "$PID_FILE" ]; then end_process "$(cat "$PID_FILE")" -TERM; rm -f "$PID_FILE"; fi

# Processes whose command line names our socket or our programs: containerd and its shims; then all they started.
own_processes() {
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    [ "$pid" = "$$" ] && continue
    case "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")" in
      "$DATA_DIR"/*containerd* | *containerd-shim*"$RUN_DIR"/*) echo "$pid" ;;
    esac
  done
}
children_of() { for task in /proc/"$1"/task/*/children; do cat "$task" 2>/dev/null; done; }
tree_of() { echo "$1"; for child in $(children_of "$1"); do tree_of "$child"; done; }
for pid in $(own_processes); do for each in $(tree_of "$pid"); do kill -9 "$each" 2>/dev/null; done; done

# Deepest mounts first.
awk -v a="$RUN_DIR/" -v b="$DATA_DIR/" 'index($2, a) == 1 || index($2, b) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
  umount -l "$(printf '%b' "$mount")" 2>/dev/null
done
for link in skiff0 skiff-vxlan; do ip link delete "$link" 2>/dev/null; done
nft delete table ip skiff 2>/dev/null
# A cgroup can be removed once the last of its processes is gone, which takes a moment.
for _ in $(seq 50); do
  left=false
  for root in "/sys/fs/cgroup$CGROUP_ROOT" /sys/fs/cgroup/*"$CGROUP_ROOT"; do
    [ -d "$root/kubepods" ] || continue
    find "$root/kubepods" -depth -type d -exec rmdir {} \; 2>/dev/null
    [ ! -d "$root/kubepods" ] || left=true
  done
  [ "$left" = true ] || break
  sleep 0.1
done
# Networks of pods: those no process lives in any more.
for namespace in $(ip netns list 2>/dev/null | awk '/^cni-/ { print $1 }'); do
  [ -n "$(ip netns pids "$namespace" 2>/dev/null)" ] || ip netns delete "$namespace" 2>/dev/null
done
# Shims and runc use folders that every containerd of a machine shares: only what is ours goes.
for task in "$RUN_DIR"/containerd/state/io.containerd.runtime.v2.task/k8s.io/*; do
  [ -d "$task" ] || continue
  [ ! -f "$task/address" ] || rm -f "$(sed 's,^unix://,,' "$task/address")"
  rm -rf "/run/containerd/runc/k8s.io/${task##*/}"
done
rmdir /run/containerd/s /run/containerd/runc/k8s.io /run/containerd/runc /run/containerd 2>/dev/null
rm -rf "$RUN_DIR"
exit 0
SCRIPT
}

uninstall_script() {
  cat <<SCRIPT
#!/bin/sh
# Removes Skiff from this machine with all its data.
NAME=$NAME INIT=$INIT BIN_DIR=$BIN_DIR SYSTEMD_DIR=$SYSTEMD_DIR DATA_DIR=$DATA_DIR ETC_DIR=$ETC_DIR LOG_FILE=$LOG_FILE
SCRIPT
  cat <<'SCRIPT'
[ "$(id -u)" = 0 ] || { echo 'this must run as root: try again with sudo' >&2; exit 1; }
"$BIN_DIR/skiff-killall"
case "$INIT" in
  systemd) systemctl disable -q "$NAME"; rm -f "$SYSTEMD_DIR/$NAME.service"; systemctl daemon-reload; systemctl reset-failed "$NAME" 2>/dev/null ;;
  openrc) rc-update delete "$NAME" default; rm -f "/etc/init.d/$NAME" ;;
esac
[ "$(readlink "$BIN_DIR/kubectl")" = skiff ] && rm -f "$BIN_DIR/kubectl"
# A folder that is a mount point of its own is emptied.
for folder in "$DATA_DIR" "$ETC_DIR" /var/log/pods; do
  [ -d "$folder" ] || continue
  find "$folder" -mindepth 1 -delete
  rmdir "$folder" 2>/dev/null
done
rm -f "$LOG_FILE"
rm -f "$BIN_DIR/skiff" "$BIN_DIR/skiff-killall" "$BIN_DIR/skiff-uninstall"
echo 'Skiff is gone from this machine.'
exit 0
SCRIPT
}

main() {
  read_arguments "$@"
  check_machine
  install_program
  write_environment
  write_service
  write_scripts
  start_service
}

main "$@"
