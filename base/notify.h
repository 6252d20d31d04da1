/* notify: telling the service manager how we are, by sd_notify(3)'s datagram.
 *
 * By hand, since libsystemd would bring five libraries.  Does nothing when NOTIFY_SOCKET is not
 * set; a manager that does not listen is no error of ours.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

void notify_ready(const char *status); /* status: one line of words, NULL for none */
void notify_reloading(void);           /* followed by notify_ready() */
void notify_stopping(void);
void notify_alive(void); /* for WatchdogSec= */

#endif
