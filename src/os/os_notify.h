/* os_notify.h: tells the service manager that started this process how it is (systemd's sd_notify(3) protocol).
 *
 * Any thread may call; nothing blocks. Without a manager that asks, nothing happens: the environment variable
 * NOTIFY_SOCKET names the socket that it listens on. */
#ifndef BRUME_OS_NOTIFY_H
#define BRUME_OS_NOTIFY_H

/* Connections are taken from now on; also ends a reload. */
void os_notify_ready(void);
/* The configuration is being read again; os_notify_ready follows. */
void os_notify_reloading(void);
/* The process is about to end. */
void os_notify_stopping(void);

#endif
