typedef int agent_t;
