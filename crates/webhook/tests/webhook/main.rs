//! The webhook source as the binary uses it: requests in, answers and drafts out.

#[cfg(test)]
mod files;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod gate;

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod encodings;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod fetching;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod provider_files;
#[cfg(test)]
mod rejections;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod source;
#[cfg(test)]
mod vectors;
