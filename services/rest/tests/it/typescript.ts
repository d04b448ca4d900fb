export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  __InternalSupabase: {
    PostgrestVersion: "13.0.5"
  }
  public: {
    Tables: {
      people: {
        Row: {
          born: string | null
          data: Json | null
          id: number
          mood: Database["public"]["Enums"]["mood"]
          moods: Database["public"]["Enums"]["mood"][] | null
          name: string
          nick: string | null
          "odd name": unknown | null
          paid: Database["public"]["CompositeTypes"]["money_in"] | null
          shout: string | null
          label: string | null
        }
        Insert: {
          born?: string | null
          data?: Json | null
          id?: never
          mood?: Database["public"]["Enums"]["mood"]
          moods?: Database["public"]["Enums"]["mood"][] | null
          name: string
          nick?: string | null
          "odd name"?: unknown | null
          paid?: Database["public"]["CompositeTypes"]["money_in"] | null
          shout?: never
        }
        Update: {
          born?: string | null
          data?: Json | null
          id?: never
          mood?: Database["public"]["Enums"]["mood"]
          moods?: Database["public"]["Enums"]["mood"][] | null
          name?: string
          nick?: string | null
          "odd name"?: unknown | null
          paid?: Database["public"]["CompositeTypes"]["money_in"] | null
          shout?: never
        }
        Relationships: []
      }
      pets: {
        Row: {
          id: string
          person_id: number
          tag: number | null
        }
        Insert: {
          id?: string
          person_id: number
          tag?: number | null
        }
        Update: {
          id?: string
          person_id?: number
          tag?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "pets_person_id_fkey"
            columns: ["person_id"]
            isOneToOne: false
            referencedRelation: "grown"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "pets_person_id_fkey"
            columns: ["person_id"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "pets_tag_fkey"
            columns: ["tag"]
            isOneToOne: true
            referencedRelation: "grown"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "pets_tag_fkey"
            columns: ["tag"]
            isOneToOne: true
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      secret: {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: []
      }
    }
    Views: {
      grown: {
        Row: {
          id: number | null
          mood: Database["public"]["Enums"]["mood"] | null
          name: string | null
        }
        Insert: {
          id?: number | null
          mood?: Database["public"]["Enums"]["mood"] | null
          name?: string | null
        }
        Update: {
          id?: number | null
          mood?: Database["public"]["Enums"]["mood"] | null
          name?: string | null
        }
        Relationships: []
      }
    }
    Functions: {
      add:
      | {
        Args: {
          a: number
          b?: number
        }
        Returns: number
      }
      | {
        Args: {
          a: string
          b: string
        }
        Returns: string
      }
      hidden: {
        Args: never
        Returns: undefined
      }
      label: {
        Args: {
          "": Database["public"]["Tables"]["people"]["Row"]
        }
        Returns: string
      }
      listed: {
        Args: never
        Returns: {
          id: number
          mood: Database["public"]["Enums"]["mood"]
        }[]
      }
      owner_of: {
        Args: {
          "": Database["public"]["Tables"]["pets"]["Row"]
        }
        Returns: Database["public"]["Tables"]["people"]["Row"][]
        SetofOptions: {
          from: "pets"
          to: "people"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      pets_of: {
        Args: {
          owner: number
        }
        Returns: Database["public"]["Tables"]["pets"]["Row"][]
        SetofOptions: {
          from: "*"
          to: "pets"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      sums: {
        Args: never
        Returns: {
          total: number
          label: string
        }
      }
    }
    Enums: {
      mood: "sad" | "ok" | "so so"
    }
    CompositeTypes: {
      money_in: {
        amount: number | null
        currency: string | null
        moods: Database["public"]["Enums"]["mood"][] | null
      }
    }
  }
}
