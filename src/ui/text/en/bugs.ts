// English: what sentences about bugs have in common. Messages with one of these have a button that copies
// them.

export const COPY_INTO_REPORT = 'copy this message into a report of it';
export const FAILED_INSIDE = 'Something failed inside Palm';
