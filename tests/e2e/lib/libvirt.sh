# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A libvirtd of our own; sourced. The hook directory is compiled into libvirt, so it runs in namespaces where /etc, /run
# and libvirt's state are private. All that is started there ends with the script, which is the first process of its
# process namespace, and all that is written there (work is below /run) is gone with the mount namespace.
work=/run/dstack-e2e
config=${DSTACK_E2E_SYSCONFDIR:-/etc}/dstack/vmm-prep.conf

# Call first: starts this script again inside the namespaces.
enter_namespaces() {
	[ "${DSTACK_E2E_INSIDE:-}" = 1 ] && return
	DSTACK_E2E_INSIDE=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc -- bash "$0" "$@"
}

private_mounts() {
	local directory

	mount -t tmpfs -o mode=0755 tmpfs /run
	mkdir -p "$work/etc" /run/lock
	cp -a /etc/. "$work/etc/"
	mount --bind "$work/etc" /etc
	rm -rf /etc/libvirt/hooks /etc/libvirt/qemu /etc/dstack
	mkdir -p "${config%/dstack/*}"
	case $config in
	/etc/*) ;;
	*) mount -t tmpfs -o mode=0755 tmpfs "${config%/dstack/*}" ;;
	esac
	mkdir "${config%/*}"
	for directory in /var/lib/libvirt /var/cache /var/log/libvirt; do
		mount -t tmpfs -o mode=0755 tmpfs "$directory"
	done
	mkdir /var/cache/libvirt
	# no control group of the machine is seen, so none is made
	umount -R -l /sys/fs/cgroup 2>/dev/null || true
	ip link set lo up 2>/dev/null || true
}

# No security driver: there is none in a container-like machine.
configure_libvirt() {
	mkdir -p /etc/libvirt/hooks/qemu.d
	cat >/etc/libvirt/qemu.conf <<-END
		security_driver = "none"
		user = "root"
		group = "root"
		remember_owner = 0
	END
	cat >/etc/libvirt/libvirtd.conf <<-END
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		log_outputs = "3:file:$work/libvirtd.log"
	END
}

start_libvirtd() {
	env -i LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root libvirtd -d -p "$work/libvirtd.pid" || return
	for _ in $(seq 100); do
		virsh version >/dev/null 2>&1 && return
		sleep 0.1
	done
	tail -n 20 "$work/libvirtd.log"
	return 1
}

# Ends only the daemon: guests keep running, and the next daemon reconnects to them.
stop_libvirtd() {
	local pid

	pid=$(cat "$work/libvirtd.pid") && kill "$pid" || return
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
	done
}

# private_libvirtd HOOK: everything above; the hook is the built program, linked as plugins/libvirt/README.md says.
private_libvirtd() {
	private_mounts
	configure_libvirt
	ln -s "$1" /etc/libvirt/hooks/qemu.d/50-dstack-vmm-prep
	export LIBVIRT_DEFAULT_URI=qemu:///system
	virtlogd -d -p "$work/virtlogd.pid" && start_libvirtd
}

# wait_gone NAME SECONDS: until the domain has ended and libvirt has run its release hook.
wait_gone() {
	local end=$((SECONDS + $2))

	while virsh domstate -- "$1" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "$1: still there after $2 s"
			virsh destroy -- "$1"
			return 1
		fi
		sleep 0.3
	done
}
