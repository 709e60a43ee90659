# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A libvirt domain that boots the sample image; sourced. Needs $work, $image and $cmdline.

# Prints a text with XML's special characters escaped.
xml_escape() {
	printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

# What a caller may say before domain_xml, as in "memory=2560 domain_xml": each line is a parameter and its default.
domain_metadata() {
	[ "${metadata:-yes}" = yes ] || return 0
	cat <<-END
		<metadata>
		  <dstack:cvm xmlns:dstack="https://dstack.org/xmlns/libvirt/cvm/1.0">
		    <dstack:image>${image_name:-${image##*/}}</dstack:image>
		    <dstack:tee>${tee:-tdx}</dstack:tee>
		    ${more_metadata:-}
		  </dstack:cvm>
		</metadata>
	END
}

domain_share() {
	case ${share_as:-9p} in
	9p)
		cat <<-END
			<filesystem type='mount' accessmode='passthrough'>
			  <source dir='${share:-$work/share}'/>
			  <target dir='host-shared'/>
			</filesystem>
		END
		;;
	disk)
		cat <<-END
			<disk type='file' device='disk'>
			  <driver name='qemu' type='raw'/>
			  <source file='${disk:-$work/share.img}'/>
			  <target dev='vda' bus='virtio'/>
			  <serial>DSTACKSHR</serial>
			</disk>
		END
		;;
	esac
}

# Prints the domain's XML. What it boots is the image's own unless told otherwise.
domain_xml() {
	cat <<-END
		<domain type='qemu'>
		  <name>$(xml_escape "${name:-guest}")</name>
		  ${uuid:+<uuid>$uuid</uuid>}
		  $(domain_metadata)
		  <memory unit='MiB'>${memory:-2048}</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='q35'>hvm</type>
		    <loader type='rom'>${loader:-$image/ovmf.fd}</loader>
		    <kernel>${kernel:-$image/bzImage}</kernel>
		    <initrd>${initrd:-$image/initrd.img}</initrd>
		    <cmdline>$(xml_escape "${arguments:-$cmdline}")</cmdline>
		  </os>
		  <features><acpi/></features>
		  ${cpu:-<cpu mode='maximum'/>}
		  <on_poweroff>destroy</on_poweroff>
		  <on_reboot>destroy</on_reboot>
		  <on_crash>destroy</on_crash>
		  <devices>
		    <emulator>${emulator:-/usr/bin/qemu-system-x86_64}</emulator>
		    $(domain_share)
		    <serial type='file'><source path='${console:-$work/console}'/></serial>
		    <memballoon model='none'/>
		  </devices>
		</domain>
	END
}
