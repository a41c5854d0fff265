package benchmark;

import java.util.stream.IntStream;

import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.infrastructure.item.file.builder.FlatFileItemWriterBuilder;
import org.springframework.batch.infrastructure.item.support.IteratorItemReader;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.FileSystemResource;

/** The same 10,000 rows by Spring Batch, in chunks of 1,000. Argument: --file=FILE. */
@SpringBootApplication
public class Export {
    public record Row(String sku, String name, String category, String unit, double price, String kind, int stock) {}

    public static void main(String[] arguments) {
        System.exit(SpringApplication.exit(SpringApplication.run(Export.class, arguments)));
    }

    @Bean
    Job job(JobRepository repository, @Value("${file}") String file) {
        var rows = IntStream.range(0, 10_000)
                .mapToObj(n -> new Row("%06d".formatted(n), "Product " + n, "Category", "pcs", n / 100.0, "base", 5))
                .iterator();
        var writer = new FlatFileItemWriterBuilder<Row>()
                .name("writer")
                .resource(new FileSystemResource(file))
                .delimited()
                .sourceType(Row.class)
                .names("sku", "name", "category", "unit", "price", "kind", "stock")
                .build();
        var step = new StepBuilder("step", repository)
                .<Row, Row>chunk(1_000)
                .reader(new IteratorItemReader<>(rows))
                .writer(writer)
                .build();
        return new JobBuilder("export", repository).start(step).build();
    }
}
