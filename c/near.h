/* The CPU on which a thread waits for another. For the library's own use. */
#ifndef PS_NEAR_H
#define PS_NEAR_H

/* Moves the calling thread to the CPU that ps_near() noted last. */
void ps_sit_near(void);

#endif
