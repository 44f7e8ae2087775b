#include "runtime/sandbox_filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <unistd.h>

/* Everything that is not needed to run a program and that has been a way into kernels. Calls are refused as if the
 * powers for them were missing, which they are; namespaces, capabilities and mounts hold without this filter, too. */
static const int refused[] = {
    /* other file systems, other namespaces */
    SCMP_SYS(mount),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(nfsservctl),
    /* other processes */
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(move_pages),
    SCMP_SYS(migrate_pages),
    /* what belongs to the whole machine */
    SCMP_SYS(acct),
    SCMP_SYS(reboot),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(settimeofday),
    SCMP_SYS(stime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_settime64),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_adjtime64),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(uselib),
    SCMP_SYS(ustat),
    SCMP_SYS(sysfs),
    SCMP_SYS(_sysctl),
    SCMP_SYS(vm86),
    SCMP_SYS(vm86old),
    SCMP_SYS(modify_ldt),
    /* large doors into the kernel */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(mbind),
    SCMP_SYS(memfd_secret),
};

/* No honest program tries these: it ends. */
static const int deadly[] = {
    SCMP_SYS(init_module),       SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(create_module),     SCMP_SYS(kexec_load),   SCMP_SYS(kexec_file_load),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(iopl),         SCMP_SYS(ioperm),
};

/* Calls of other machines than this one have no number here; libseccomp then makes no rule. */
static bool refuse(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int added = seccomp_rule_add(filter, action, calls[i], 0);
        if (added != 0 && added != -EDOM && added != -EINVAL)
            return false;
    }
    return true;
}

/* clone(2) makes threads and processes, but no namespaces. clone3(2) has its flags in memory, where a filter cannot look:
 * it is said not to exist, and C libraries take clone(2) then. */
static bool refuse_namespaces(scmp_filter_ctx filter)
{
    static const scmp_datum_t flags[] = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS,    CLONE_NEWNET,
                                         CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i])) != 0)
            return false;
    return true;
}

/* A template may make copies, and else nothing in other namespaces or beside itself: of each set of those flags that is
 * not the one, there is a rule. */
static bool refuse_all_but_copies(scmp_filter_ctx filter, uint64_t copy_flags)
{
    static const uint64_t flags[] = {CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS,     CLONE_NEWNET,
                                     CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_PARENT};
    enum { FLAGS = sizeof flags / sizeof *flags };
    const uint64_t all = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                         CLONE_NEWCGROUP | CLONE_PARENT;
    for (unsigned choice = 1; choice < 1u << FLAGS; choice++) {
        uint64_t chosen = 0;
        for (unsigned i = 0; i < FLAGS; i++)
            chosen |= (choice >> i & 1) != 0 ? flags[i] : 0;
        if (chosen != copy_flags && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                                     SCMP_A0(SCMP_CMP_MASKED_EQ, all, chosen)) != 0)
            return false;
    }
    /* No memory is shared with a copy. */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_VM | all, CLONE_VM | copy_flags)) == 0;
}

/* Calls that came after those which are listed here may be new ways to what a template has the power for (open_tree_attr
 * is one). Numbers are those of all machines from 424 on. */
static bool refuse_later_calls(scmp_filter_ctx filter)
{
    enum { FIRST = 463, LAST = 511 };
    for (int call = FIRST; call <= LAST; call++)
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0)
            return false;
    return true;
}

/* Families of sockets that only speak with the host (AF_VSOCK), or are little used and much attacked. */
static bool refuse_sockets(scmp_filter_ctx filter)
{
    static const unsigned allowed[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    unsigned family = 0;
    for (size_t i = 0; i <= sizeof allowed / sizeof *allowed; i++) {
        /* Those between two that are allowed, and all behind the last one. */
        unsigned end = i < sizeof allowed / sizeof *allowed ? allowed[i] : AF_MAX;
        for (; family < end; family++)
            if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                 SCMP_A0(SCMP_CMP_EQ, family, 0)) != 0)
                return false;
        family = end + 1;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_GE, AF_MAX, 0)) == 0;
}

/* Typing into a terminal that somebody else has. */
static bool refuse_typing(scmp_filter_ctx filter)
{
    enum { TYPE = 0x5412, PASTE = 0x541c }; /* TIOCSTI, TIOCLINUX */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TYPE)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, PASTE)) == 0;
}

static bool add_rules(scmp_filter_ctx filter, uint64_t copy_flags)
{
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && /* a tree: the calls are many */
           refuse(filter, SCMP_ACT_ERRNO(EPERM), refused, sizeof refused / sizeof *refused) &&
           refuse(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof *deadly) &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           (copy_flags == 0 ? refuse_namespaces(filter)
                            : refuse_all_but_copies(filter, copy_flags) && refuse_later_calls(filter)) &&
           refuse_sockets(filter) && refuse_typing(filter);
}

int sandbox_filter_make(uint64_t copy_flags)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return -1;
    int file = memfd_create("filter", MFD_CLOEXEC);
    if (file >= 0 && (!add_rules(filter, copy_flags) || seccomp_export_bpf(filter, file) != 0)) {
        close(file);
        file = -1;
    }
    seccomp_release(filter);
    return file;
}
