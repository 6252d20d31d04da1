typedef int analyze_t;
