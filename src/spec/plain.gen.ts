// Made by deno task schemas from schemas/; do not edit.
import type { Plain } from "./plain_schema.ts";

/** The types of all sinks. */
export const SINK_TYPES: ReadonlySet<unknown> = new Set(["state_db"]);

/** The whole spec. */
export const SPEC: Plain = {
  "kind": "mapping",
  "options": {
    "version": {
      "of": {
        "kind": "one_of",
        "values": [
          1
        ]
      }
    },
    "service": {
      "of": {
        "kind": "mapping",
        "options": {
          "runtime_folder": {
            "of": {
              "kind": "text",
              "least": 1,
              "most": 4096,
              "patterns": [
                "^[^\\u0000-\\u001f\\u007f]+$"
              ]
            },
            "optional": true
          },
          "data_folder": {
            "of": {
              "kind": "text",
              "least": 1,
              "most": 4096,
              "patterns": [
                "^[^\\u0000-\\u001f\\u007f]+$"
              ]
            },
            "optional": true
          },
          "log_level": {
            "of": {
              "kind": "one_of",
              "values": [
                "debug",
                "info",
                "warn",
                "error"
              ]
            },
            "preset": "info"
          },
          "log_format": {
            "of": {
              "kind": "one_of",
              "values": [
                "text",
                "json"
              ]
            },
            "preset": "text"
          },
          "shutdown_ms": {
            "of": {
              "kind": "number",
              "whole": true,
              "least": 0,
              "most": 600000
            },
            "preset": 5000
          }
        }
      },
      "preset": {
        "log_level": "info",
        "log_format": "text",
        "shutdown_ms": 5000
      }
    },
    "pipelines": {
      "of": {
        "kind": "named",
        "name": {
          "kind": "text",
          "patterns": [
            "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
          ]
        },
        "of": {
          "kind": "mapping",
          "options": {
            "namespace": {
              "of": {
                "kind": "text",
                "most": 255,
                "patterns": [
                  "^(?!\\.{1,2}$)[A-Za-z0-9_.-]+$"
                ]
              },
              "optional": true
            },
            "source": {
              "of": {
                "kind": "component",
                "types": {
                  "netlink": {
                    "kind": "mapping",
                    "options": {
                      "type": {
                        "of": {
                          "kind": "one_of",
                          "values": [
                            "netlink"
                          ]
                        }
                      },
                      "interfaces": {
                        "of": {
                          "kind": "list",
                          "of": {
                            "kind": "text",
                            "check": "glob"
                          },
                          "least": 1,
                          "most": 256
                        },
                        "optional": true
                      },
                      "extra_fields": {
                        "of": {
                          "kind": "list",
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "ifindex",
                              "mac",
                              "kind",
                              "master",
                              "carrier",
                              "operstate"
                            ]
                          },
                          "most": 6
                        },
                        "optional": true
                      },
                      "receive_buffer_bytes": {
                        "of": {
                          "kind": "number",
                          "whole": true,
                          "least": 65536,
                          "most": 268435456
                        },
                        "preset": 16777216
                      },
                      "linger_ms": {
                        "of": {
                          "kind": "number",
                          "whole": true,
                          "least": 0,
                          "most": 1
                        },
                        "preset": 1
                      }
                    }
                  },
                  "replay": {
                    "kind": "mapping",
                    "options": {
                      "type": {
                        "of": {
                          "kind": "one_of",
                          "values": [
                            "replay"
                          ]
                        }
                      },
                      "file": {
                        "of": {
                          "kind": "text",
                          "least": 1,
                          "most": 4096,
                          "patterns": [
                            "^[^\\u0000-\\u001f\\u007f]+$"
                          ]
                        }
                      },
                      "interfaces": {
                        "of": {
                          "kind": "list",
                          "of": {
                            "kind": "text",
                            "check": "glob"
                          },
                          "least": 1,
                          "most": 256
                        },
                        "optional": true
                      },
                      "extra_fields": {
                        "of": {
                          "kind": "list",
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "ifindex",
                              "mac",
                              "kind",
                              "master",
                              "carrier",
                              "operstate"
                            ]
                          },
                          "most": 6
                        },
                        "optional": true
                      },
                      "pace": {
                        "of": {
                          "kind": "one_of",
                          "values": [
                            "fast",
                            "recorded"
                          ]
                        },
                        "preset": "fast"
                      }
                    }
                  }
                }
              }
            },
            "transforms": {
              "of": {
                "kind": "list",
                "of": {
                  "kind": "component",
                  "types": {
                    "validate": {
                      "kind": "mapping",
                      "options": {
                        "type": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "validate"
                            ]
                          }
                        },
                        "interfaces": {
                          "of": {
                            "kind": "list",
                            "of": {
                              "kind": "text",
                              "check": "glob"
                            },
                            "least": 1,
                            "most": 256
                          },
                          "optional": true
                        },
                        "ports": {
                          "of": {
                            "kind": "mapping",
                            "options": {
                              "database": {
                                "of": {
                                  "kind": "one_of",
                                  "values": [
                                    "APPL_DB",
                                    "CONFIG_DB"
                                  ]
                                }
                              },
                              "url": {
                                "of": {
                                  "kind": "text",
                                  "check": "redis_url"
                                },
                                "optional": true
                              },
                              "table": {
                                "of": {
                                  "kind": "text",
                                  "most": 128,
                                  "patterns": [
                                    "^[A-Za-z_][A-Za-z0-9_]*$"
                                  ]
                                },
                                "optional": true
                              },
                              "username": {
                                "of": {
                                  "kind": "text",
                                  "least": 1,
                                  "most": 256
                                },
                                "optional": true
                              },
                              "password": {
                                "of": {
                                  "kind": "text",
                                  "patterns": [
                                    "^\\$\\{(?:file:\\/[^{}\\n]+|credential:[A-Za-z0-9_.@-]+)\\}$"
                                  ],
                                  "secret": true
                                },
                                "optional": true
                              },
                              "ca_certificate": {
                                "of": {
                                  "kind": "text",
                                  "least": 1,
                                  "most": 4096,
                                  "patterns": [
                                    "^[^\\u0000-\\u001f\\u007f]+$"
                                  ]
                                },
                                "optional": true
                              },
                              "database_config": {
                                "of": {
                                  "kind": "text",
                                  "least": 1,
                                  "most": 4096,
                                  "patterns": [
                                    "^[^\\u0000-\\u001f\\u007f]+$"
                                  ]
                                },
                                "optional": true
                              },
                              "poll_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 100,
                                  "most": 3600000
                                },
                                "preset": 2000
                              },
                              "hold_max": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1,
                                  "most": 1000000
                                },
                                "preset": 4096
                              }
                            }
                          },
                          "optional": true
                        }
                      }
                    },
                    "ksync": {
                      "kind": "mapping",
                      "options": {
                        "type": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "ksync"
                            ]
                          }
                        },
                        "tables": {
                          "of": {
                            "kind": "list",
                            "of": {
                              "kind": "text",
                              "most": 128,
                              "patterns": [
                                "^[A-Za-z_][A-Za-z0-9_]*$"
                              ]
                            },
                            "least": 1,
                            "most": 64
                          },
                          "optional": true
                        },
                        "request_timeout_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 1,
                            "most": 3600000
                          },
                          "preset": 5000
                        },
                        "retry": {
                          "of": {
                            "kind": "mapping",
                            "options": {
                              "initial_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1,
                                  "most": 60000
                                },
                                "preset": 100
                              },
                              "max_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1,
                                  "most": 3600000
                                },
                                "preset": 30000
                              },
                              "factor": {
                                "of": {
                                  "kind": "number",
                                  "least": 1,
                                  "most": 10
                                },
                                "preset": 2
                              },
                              "jitter": {
                                "of": {
                                  "kind": "number",
                                  "least": 0,
                                  "most": 1
                                },
                                "preset": 0.2
                              },
                              "max_attempts": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 0,
                                  "most": 1000000
                                },
                                "preset": 0
                              },
                              "on_change": {
                                "of": {
                                  "kind": "one_of",
                                  "values": [
                                    "wait",
                                    "now"
                                  ]
                                },
                                "preset": "wait"
                              }
                            }
                          },
                          "preset": {
                            "initial_ms": 100,
                            "max_ms": 30000,
                            "factor": 2,
                            "jitter": 0.2,
                            "max_attempts": 0,
                            "on_change": "wait"
                          }
                        },
                        "max_in_flight": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 1,
                            "most": 100000
                          },
                          "preset": 256
                        },
                        "batch_operations": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 1,
                            "most": 10000
                          },
                          "preset": 256
                        },
                        "batch_bytes": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 1024,
                            "most": 67108864
                          },
                          "preset": 65536
                        },
                        "coalesce_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 0,
                            "most": 60000
                          },
                          "preset": 0
                        },
                        "gather_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 0,
                            "most": 60000
                          },
                          "preset": 0
                        },
                        "settle_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 0,
                            "most": 3600000
                          },
                          "preset": 1000
                        },
                        "owns": {
                          "of": {
                            "kind": "mapping",
                            "options": {
                              "keys": {
                                "of": {
                                  "kind": "list",
                                  "of": {
                                    "kind": "text",
                                    "check": "glob"
                                  },
                                  "least": 1,
                                  "most": 256
                                },
                                "optional": true
                              },
                              "field": {
                                "of": {
                                  "kind": "text",
                                  "least": 1,
                                  "most": 128
                                },
                                "optional": true
                              },
                              "fields": {
                                "of": {
                                  "kind": "list",
                                  "of": {
                                    "kind": "text",
                                    "least": 1,
                                    "most": 128
                                  },
                                  "most": 256
                                },
                                "optional": true
                              }
                            }
                          },
                          "optional": true
                        },
                        "numeric_fields": {
                          "of": {
                            "kind": "list",
                            "of": {
                              "kind": "text",
                              "least": 1,
                              "most": 128
                            },
                            "most": 256
                          },
                          "optional": true
                        },
                        "sweep": {
                          "of": {
                            "kind": "mapping",
                            "options": {
                              "after_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 0,
                                  "most": 3600000
                                },
                                "preset": 0
                              },
                              "interval_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1,
                                  "most": 60000
                                },
                                "preset": 100
                              },
                              "per_interval": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1,
                                  "most": 100000
                                },
                                "preset": 512
                              },
                              "max_wait_ms": {
                                "of": {
                                  "kind": "number",
                                  "whole": true,
                                  "least": 1000,
                                  "most": 86400000
                                },
                                "preset": 300000
                              },
                              "without_end": {
                                "of": {
                                  "kind": "truth"
                                },
                                "preset": false
                              }
                            }
                          },
                          "preset": {
                            "after_ms": 0,
                            "interval_ms": 100,
                            "per_interval": 512,
                            "max_wait_ms": 300000,
                            "without_end": false
                          }
                        },
                        "depends_on": {
                          "of": {
                            "kind": "list",
                            "of": {
                              "kind": "mapping",
                              "options": {
                                "table": {
                                  "of": {
                                    "kind": "text",
                                    "most": 128,
                                    "patterns": [
                                      "^[A-Za-z_][A-Za-z0-9_]*$"
                                    ]
                                  }
                                },
                                "key": {
                                  "of": {
                                    "kind": "text",
                                    "least": 1,
                                    "most": 256
                                  },
                                  "optional": true
                                },
                                "needs": {
                                  "of": {
                                    "kind": "list",
                                    "of": {
                                      "kind": "text",
                                      "least": 3,
                                      "most": 512
                                    },
                                    "least": 1,
                                    "most": 16
                                  }
                                }
                              }
                            },
                            "most": 256
                          },
                          "optional": true
                        },
                        "resolved_when": {
                          "of": {
                            "kind": "list",
                            "of": {
                              "kind": "mapping",
                              "options": {
                                "table": {
                                  "of": {
                                    "kind": "text",
                                    "most": 128,
                                    "patterns": [
                                      "^[A-Za-z_][A-Za-z0-9_]*$"
                                    ]
                                  }
                                },
                                "field": {
                                  "of": {
                                    "kind": "text",
                                    "least": 1,
                                    "most": 128
                                  }
                                },
                                "equals": {
                                  "of": {
                                    "kind": "text",
                                    "most": 1024
                                  }
                                }
                              }
                            },
                            "most": 64
                          },
                          "optional": true
                        },
                        "resolve_on": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "acked",
                              "sent"
                            ]
                          },
                          "preset": "acked"
                        },
                        "on_dependency_deleted": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "hold",
                              "cascade"
                            ]
                          },
                          "preset": "hold"
                        },
                        "on_cycle": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "report",
                              "reject"
                            ]
                          },
                          "preset": "report"
                        },
                        "renew": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "ignore",
                              "hold"
                            ]
                          },
                          "preset": "ignore"
                        },
                        "hold_warn_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 0,
                            "most": 86400000
                          },
                          "preset": 30000
                        },
                        "compress_deletes": {
                          "of": {
                            "kind": "truth"
                          },
                          "preset": true
                        },
                        "damping": {
                          "of": {
                            "kind": "unknown"
                          },
                          "optional": true
                        }
                      }
                    }
                  }
                },
                "most": 64
              },
              "preset": []
            },
            "sinks": {
              "of": {
                "kind": "list",
                "of": {
                  "kind": "component",
                  "types": {
                    "state_db": {
                      "kind": "mapping",
                      "options": {
                        "type": {
                          "of": {
                            "kind": "one_of",
                            "values": [
                              "state_db"
                            ]
                          }
                        },
                        "url": {
                          "of": {
                            "kind": "text",
                            "check": "store_url"
                          },
                          "optional": true
                        },
                        "database": {
                          "of": {
                            "kind": "either",
                            "of": [
                              {
                                "kind": "text",
                                "patterns": [
                                  "^[A-Z][A-Z0-9_]*$"
                                ]
                              },
                              {
                                "kind": "number",
                                "whole": true,
                                "least": 0,
                                "most": 1023
                              }
                            ]
                          },
                          "preset": "STATE_DB"
                        },
                        "table": {
                          "of": {
                            "kind": "text",
                            "most": 128,
                            "patterns": [
                              "^[A-Za-z_][A-Za-z0-9_]*$"
                            ]
                          },
                          "optional": true
                        },
                        "username": {
                          "of": {
                            "kind": "text",
                            "least": 1,
                            "most": 256
                          },
                          "optional": true
                        },
                        "password": {
                          "of": {
                            "kind": "text",
                            "patterns": [
                              "^\\$\\{(?:file:\\/[^{}\\n]+|credential:[A-Za-z0-9_.@-]+)\\}$"
                            ],
                            "secret": true
                          },
                          "optional": true
                        },
                        "database_config": {
                          "of": {
                            "kind": "text",
                            "least": 1,
                            "most": 4096,
                            "patterns": [
                              "^[^\\u0000-\\u001f\\u007f]+$"
                            ]
                          },
                          "optional": true
                        },
                        "ca_certificate": {
                          "of": {
                            "kind": "text",
                            "least": 1,
                            "most": 4096,
                            "patterns": [
                              "^[^\\u0000-\\u001f\\u007f]+$"
                            ]
                          },
                          "optional": true
                        },
                        "connect_timeout_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 1,
                            "most": 600000
                          },
                          "preset": 5000
                        },
                        "request_timeout_ms": {
                          "of": {
                            "kind": "number",
                            "whole": true,
                            "least": 10,
                            "most": 600000
                          },
                          "preset": 3000
                        },
                        "required": {
                          "of": {
                            "kind": "truth"
                          },
                          "preset": true
                        }
                      }
                    }
                  }
                },
                "least": 1,
                "most": 64
              }
            }
          }
        }
      }
    }
  }
};
