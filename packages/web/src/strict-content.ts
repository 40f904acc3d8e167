import { config } from "zod";

// The pages' policy forbids code made from text. zod would try to make some, and the try alone is reported as a
// violation. To be imported before the schemas are made.
config({ jitless: true });
